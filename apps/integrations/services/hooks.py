"""Where providers report: the address of a callback, made before anything is sent."""

from django.conf import settings

from apps.integrations.contracts import WEBHOOK
from apps.integrations.models import ProviderAccount
from apps.tenancy.selectors import organisations


def webhook(account: ProviderAccount) -> str:
    """Return the address at which an account is told by signed messages. Who knows it can prove nothing by that."""
    return address(token=account.callback_token, kind=WEBHOOK)


def address(*, token: str, kind: str) -> str:
    """Return the address for callbacks of a kind: organisation and token, in hex, say whose answer it is."""
    organisation = organisations.current()
    return f"{settings.TREASURY['PUBLIC_URL']}/hooks/{organisation.id.hex}/{token}/{kind}"
