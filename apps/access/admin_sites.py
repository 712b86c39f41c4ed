"""The two admin sites: the organisation's portal, which shows no shared table, and the platform's."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.sites import UnfoldAdminSite

from apps.access.selectors import memberships
from apps.accounts.services import users
from apps.kit import schema
from apps.kit.admin import TreasuryAdmin

PUBLIC = "public"


def _schema() -> str:
    return str(schema.name())


def is_shared(model: type[Model]) -> bool:
    """Whether the table of a model lies in the public schema only, where all organisations' rows are."""
    config = apps.get_app_config(model._meta.app_label)
    names = {config.name, f"{type(config).__module__}.{type(config).__name__}"}
    return not names & set(settings.TENANT_APPS)


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """A person's own new password; the present one is refused, because somebody else may have made it."""

    user: AbstractBaseUser

    def clean_new_password1(self) -> str:
        chosen = str(self.cleaned_data["new_password1"])
        if self.user.check_password(chosen):
            raise ValidationError("Choose another password than the present one.")
        return chosen

    def save(self, commit: bool = True) -> AbstractBaseUser:  # noqa: ARG002, FBT001, FBT002 (Django's signature)
        """Set the password by the service and return the person."""
        chosen = str(self.cleaned_data["new_password1"])
        self.user = users.set_password(user_id=self.user.pk, password=chosen)
        return self.user


class OwnPasswordSite(UnfoldAdminSite):
    """A site where a person whose password somebody else made sees one page: the one to choose his own."""

    def admin_view(
        self,
        view: Callable[..., HttpResponseBase],
        cacheable: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
    ) -> Callable[..., HttpResponseBase]:
        """Protect a view as Django does, and lead who must change his password to that page first."""
        protected = super().admin_view(view, cacheable)

        @wraps(protected)
        def own_password_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if getattr(request.user, "must_change_password", False):
                page, way_out = (reverse(f"{self.name}:{name}") for name in ("password_change", "logout"))
                if request.path not in {page, way_out}:
                    return HttpResponseRedirect(page)
            return protected(request, *args, **kwargs)

        return own_password_first

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Ask for the present password and a new one, which the service keeps."""
        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse(f"{self.name}:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)


class OrganisationSite(OwnPasswordSite):
    """The portal of one organisation; it refuses to register a shared model."""

    site_header = "Treasury"
    site_title = "Treasury"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        """Register organisation tables only. Raises ImproperlyConfigured for a shared one."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        for model in models:
            if is_shared(model):
                raise ImproperlyConfigured(f"{model._meta.label} is shared by all organisations.")
        super().register(models, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return _schema() != PUBLIC and user.is_active and user.has_module_perms("*")


class PlatformSite(OwnPasswordSite):
    """The operator's site in the public schema, for platform staff only."""

    site_header = "Treasury platform"
    site_title = "Treasury platform"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return _schema() == PUBLIC and user.is_active and bool(user.is_platform_staff)


class OrganisationModelAdmin(TreasuryAdmin):
    """A page of the organisation's site whose choices of users are its own members, never all users there are."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        if is_shared(db_field.related_model) and "queryset" not in kwargs:
            kwargs["queryset"] = self._members(db_field)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _members(self, db_field: ForeignKey) -> QuerySet[Any]:
        return db_field.related_model._default_manager.filter(pk__in=memberships.user_ids())  # noqa: SLF001 (Django's documented name)
