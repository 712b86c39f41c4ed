"""Addresses that webhooks may go to: checked when an endpoint is made and, by the HTTP client, at every attempt."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from django.conf import settings

from apps.kit import errors, http
from apps.tenancy.selectors import organisations

LENGTH_MAX = 2000
PLAIN = re.compile(r"[\x21-\x7e]+")
INBOX_PATH = re.compile(r"(?P<organisation>[0-9a-f]{32})/(?P<token>[0-9a-f]{32})")
HTTPS_PORT = 443


class WebhookUrlInvalid(errors.Invalid):
    """Webhooks cannot go to this address."""

    code = "webhook_url_invalid"
    title = "Webhook URL not valid"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError("/url", self.code, detail)])


def policy() -> http.AddressPolicy:
    """Return which addresses a webhook of the present organisation may reach: on loopback sandbox inboxes, and a developer's own."""
    is_live = not organisations.current().is_test
    return http.AddressPolicy(
        allowed_loopback=(settings.TREASURY["SANDBOX_INBOX_PREFIX"], _developers_own()),
        https_only=is_live,
        default_ports_only=is_live,
    )


def check(url: str) -> None:
    """
    Refuse an address that can be seen to be wrong without asking anybody; raise WebhookUrlInvalid.

    Live organisations need https on its usual port. What a name resolves to is checked at each attempt.
    """
    parts = _split(url)
    if inbox_of(url) is not None or http.AddressPolicy((_developers_own(),)).allows_loopback(url):
        return
    if not organisations.current().is_test and (
        parts.scheme != "https" or parts.port not in (None, HTTPS_PORT)
    ):
        raise WebhookUrlInvalid("A live organisation needs an https URL on port 443.")
    if not _may_be_public(parts.hostname or ""):
        raise WebhookUrlInvalid("This address is private: webhooks go to public addresses only.")


def _developers_own() -> str:
    """Return below which address of this machine webhooks of a test organisation may go; nowhere in a live one."""
    return settings.TREASURY["WEBHOOK_LOOPBACK"] if organisations.current().is_test else ""


def inbox_url(organisation_id: UUID, token: str) -> str:
    return f"{settings.TREASURY['SANDBOX_INBOX_PREFIX']}{organisation_id.hex}/{token}"


def inbox_of(url: str) -> tuple[UUID, str] | None:
    """Return (organisation id, token) when the URL is that of a sandbox inbox of this installation."""
    prefix = settings.TREASURY["SANDBOX_INBOX_PREFIX"]
    match = INBOX_PATH.fullmatch(url.removeprefix(prefix)) if prefix and url.startswith(prefix) else None
    return (UUID(match["organisation"]), match["token"]) if match else None


def _split(url: str) -> SplitResult:
    if len(url) > LENGTH_MAX or not PLAIN.fullmatch(url) or "\\" in url:
        raise WebhookUrlInvalid("A URL is up to 2000 plain characters without spaces.")
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise WebhookUrlInvalid("This is not a URL.") from None
    if not is_whole:
        raise WebhookUrlInvalid("A webhook URL starts with https:// and names a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise WebhookUrlInvalid("Leave user, password and fragment out of the URL.")
    if {".", ".."} & set(parts.path.lower().replace("%2e", ".").split("/")):
        raise WebhookUrlInvalid("Leave . and .. out of the path.")
    return parts


def _may_be_public(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return False
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return True
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return mapped.is_global and not mapped.is_multicast
