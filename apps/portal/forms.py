"""Signing in: e-mail and password, refused in one sentence whatever was wrong."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.utils.translation import gettext_lazy as _

REFUSAL = _("E-mail or password is not right, or the account does not belong to this organisation.")


class SignInForm(AdminAuthenticationForm):
    """An unknown e-mail, a wrong password, an ended membership and another organisation's account read the same."""

    error_messages = {"invalid_login": REFUSAL, "inactive": REFUSAL}
