"""The proof that a person gives again before a deed over money: a code of his second factor, or his password if he has none."""

from django import forms
from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.access.admin_sites.second_factor import CODE_MAX, person
from apps.access.selectors import memberships
from apps.access.services import doors
from apps.accounts.selectors import second_factors as known
from apps.accounts.services import second_factors
from apps.kit import clock, errors

PROVED_AT = "proved_at"
"""Where the session keeps when the person last proved himself, in seconds."""
PASSWORD_MAX = 4096


class PasswordRefused(errors.Invalid):
    """The password is not his, or came too often wrong: he is not told which."""

    code = "password_refused"
    title = "Password refused"


class StepUp:
    """One request's question for a proof. Wrong codes and passwords count as they do at the sign-in."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.user = person(request)

    def is_needed(self) -> bool:
        proved_at = self.request.session.get(PROVED_AT)
        return (
            proved_at is None or clock.now().timestamp() - proved_at >= settings.TREASURY["STEP_UP_SECONDS"]
        )

    def field(self) -> forms.CharField:
        if known.is_enrolled(self.user.pk):
            return forms.CharField(
                label=_("Code from your authenticator"),
                help_text=_("To make sure that it is you. A recovery code works too."),
                max_length=CODE_MAX,
                widget=forms.TextInput(
                    attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "class": "t-input"}
                ),
            )
        return forms.CharField(
            label=_("Your password"),
            help_text=_("To make sure that it is you."),
            max_length=PASSWORD_MAX,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "t-input"}),
        )

    def take(self, typed: str) -> None:
        try:
            self._verify(typed)
        except errors.DomainError:
            doors.record("step_up.refused", user_id=self.user.pk, now=clock.now())
            raise
        self.request.session.cycle_key()
        remember(self.request)
        doors.record("step_up.proved", user_id=self.user.pk, now=clock.now())

    def _verify(self, typed: str) -> None:
        if known.is_enrolled(self.user.pk):
            second_factors.verify(
                user_id=self.user.pk, code=typed, actor=memberships.actor(self.user), now=clock.now()
            )
        elif not auth.authenticate(self.request, username=self.user.email, password=typed):
            raise PasswordRefused(_("This password was not taken."))


def remember(request: HttpRequest) -> None:
    """Keep that the person proved himself just now, with what he has to prove himself by."""
    request.session[PROVED_AT] = clock.now().timestamp()
