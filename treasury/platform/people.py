"""People in the platform's site: who signs in, where, and with what."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Authenticator, User
from apps.kit import clock
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html
from apps.tenancy.selectors import organisations
from treasury.platform.dialogs import (
    DeactivatePerson,
    EndSessions,
    LiftLockOut,
    RenewEntryLink,
    ResetSecondFactor,
    TakeOver,
)
from treasury.platform.site import site


@admin.register(User, site=site)
class UserAdmin(ReadOnlyAdmin):
    """Who may sign in; nobody is deleted."""

    list_display = ["name", "email", "state", "second_factor", "is_platform_staff", "created"]
    list_filter = ["is_active", "is_platform_staff"]
    search_fields = ["name", "email"]
    fields = [
        "name", "email", "state", "made_by", "second_factor", "member_of", "is_platform_staff", "seen", "created",
    ]  # fmt: skip
    dialogs = (RenewEntryLink, TakeOver, ResetSecondFactor, LiftLockOut, EndSessions, DeactivatePerson)

    def get_queryset(self, request: HttpRequest) -> Any:
        enrolled = Exists(Authenticator.objects.filter(user_id=OuterRef("pk")))
        return super().get_queryset(request).defer("password").annotate(is_enrolled=enrolled)

    @admin.display(description=gettext_lazy("State"))
    def state(self, user: User) -> SafeString:
        if not user.is_active:
            return badge("quiet", "block", _("Deactivated"))
        if user.entry_expires_at is not None and user.entry_used_at is None:
            is_good = clock.now() < user.entry_expires_at
            return (
                badge("pending", "hourglass_top", _("Has a link"))
                if is_good
                else badge("quiet", "link_off", _("Link no longer good"))
            )
        return badge("done", "check_circle", _("Active"))

    @admin.display(description=gettext_lazy("Made by"))
    def made_by(self, user: User) -> str:
        return (
            _("An organisation: nobody has proven whose address it is") if user.was_let_in else _("Platform")
        )

    @admin.display(description=gettext_lazy("Second factor"))
    def second_factor(self, user: Any) -> str:
        return _("Set up") if user.is_enrolled else _("None")

    @admin.display(description=gettext_lazy("Member of"))
    def member_of(self, user: User) -> str:
        return ", ".join(organisations.of_user(user.pk).values_list("name", flat=True)) or _(
            "No organisation"
        )

    @admin.display(description=gettext_lazy("Last sign-in"))
    def seen(self, user: User) -> SafeString:
        return local_time_html(user.last_login)

    @admin.display(description=gettext_lazy("Made"))
    def created(self, user: User) -> SafeString:
        return local_time_html(user.created_at)
