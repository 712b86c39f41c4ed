"""The portal of one organisation: members only, and no table that organisations share."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from apps.access.admin_sites.places import PlacesSite
from apps.access.selectors import memberships
from apps.kit import schema
from apps.kit.admin import TreasuryAdmin
from apps.tenancy.selectors import organisations


def is_shared(model: type[Model]) -> bool:
    """Whether the table of a model lies in the public schema only, where all organisations' rows are."""
    config = apps.get_app_config(model._meta.app_label)
    names = {config.name, f"{type(config).__module__}.{type(config).__name__}"}
    return not names & set(settings.TENANT_APPS)


class OrganisationSite(PlacesSite):
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
        return schema.name() != schema.PUBLIC and user.is_active and user.has_module_perms("*")

    def requires_second_factor(self) -> bool:
        return organisations.current().requires_second_factor


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
