"""Sandbox inboxes: what a developer points a webhook endpoint at to see what arrives."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.events.models import SandboxInbox, SandboxRequest, WebhookEndpoint
from apps.events.services import signatures, webhook_endpoints, webhook_urls
from apps.kit import errors, ids
from apps.tenancy.selectors import organisations
from apps.tenancy.services import data_keys

REQUESTS_KEPT = 100
BODY_MAX = 64 * 1024
INBOXES_MAX = 50
FAILURES_MAX = 100
FAIL_MIN, FAIL_MAX = 300, 599
ACCEPTED, TOO_LARGE = 204, 413


class InboxUnavailable(errors.NotFound):
    """Sandbox inboxes are for test organisations."""


class InboxUnknown(errors.NotFound):
    """There is no such sandbox inbox."""


class InboxLimit(errors.DomainError):
    """There are as many sandbox inboxes as there may be."""

    code = "sandbox_inbox_limit"
    title = "Too many sandbox inboxes"


class InboxInvalid(errors.Invalid):
    """An inbox cannot check with this secret, or fail in this way."""

    code = "sandbox_inbox_invalid"
    title = "Sandbox inbox not valid"


def is_available() -> bool:
    """Say whether the present organisation has sandbox inboxes: a test organisation, or anyone on a developer's machine."""
    return organisations.current().is_test or settings.TREASURY["SANDBOX_INBOX_LOCAL"]


def url(inbox: SandboxInbox) -> str:
    """Return the address to use as the URL of a webhook endpoint."""
    return webhook_urls.inbox_url(organisations.current().id, inbox.token)


@transaction.atomic
def create(*, application_id: UUID, now: datetime, label: str = "", secret: str = "") -> SandboxInbox:
    """
    Make an inbox. With a ``whsec_…`` of its own it checks with that, else with those of the endpoints that point to it.

    Raises InboxUnavailable, InboxInvalid, InboxLimit (50 for each organisation).
    """
    _require_available()
    key = _key(secret)
    if SandboxInbox.objects.count() >= INBOXES_MAX:
        raise InboxLimit(f"An organisation has at most {INBOXES_MAX} sandbox inboxes. Delete one first.")
    inbox = SandboxInbox(
        id=ids.new(), token=ids.token(), label=label, application_id=application_id, created_at=now
    )
    if key:
        inbox.sealed_secret = data_keys.encrypt(plaintext=key, purpose=_purpose(inbox.id))
    inbox.save(force_insert=True)
    return inbox


def reseal() -> int:
    """Seal every secret with the newest data key, in the caller's transaction; return of how many inboxes."""
    inboxes = list(SandboxInbox.objects.locked().exclude(sealed_secret=b"").order_by("id"))
    for inbox in inboxes:
        inbox.sealed_secret = data_keys.reseal(value=bytes(inbox.sealed_secret), purpose=_purpose(inbox.id))
        inbox.save(update_fields=["sealed_secret"])
    return len(inboxes)


@transaction.atomic
def fail_next(*, inbox_id: UUID, status: int, times: int) -> SandboxInbox:
    """Answer the next requests with this status (300 to 599), so that retries can be watched. Raises InboxUnknown, InboxInvalid."""
    _require_available()
    if not FAIL_MIN <= status <= FAIL_MAX or not 0 <= times <= FAILURES_MAX:
        raise InboxInvalid(f"Answer with {FAIL_MIN} to {FAIL_MAX}, 0 to {FAILURES_MAX} times.")
    inbox = _locked(inbox_id)
    inbox.fail_status, inbox.fail_remaining = status, times
    inbox.save(update_fields=["fail_status", "fail_remaining"])
    return inbox


@transaction.atomic
def delete(*, inbox_id: UUID) -> None:
    """Remove an inbox and all that it received. Raises InboxUnknown."""
    _require_available()
    inbox = _locked(inbox_id)
    SandboxRequest.objects.filter(inbox=inbox).delete()
    inbox.delete()


@transaction.atomic
def receive(*, token: str, method: str, headers: Mapping[str, str], body: bytes, now: datetime) -> int:
    """
    Keep a request (the last 100), check its signature and return the status to answer.

    Header names are in lower case. Raises InboxUnavailable, InboxUnknown; a body over 64 kB is answered 413 and not kept.
    """
    _require_available()
    inbox = SandboxInbox.objects.locked().filter(token=token).first()
    if inbox is None:
        raise InboxUnknown("There is no such inbox.")
    if len(body) > BODY_MAX:
        return TOO_LARGE
    status = inbox.next_answer()
    inbox.save(update_fields=["fail_remaining"])
    is_valid, note = _judge(inbox, headers, body, now)
    SandboxRequest.objects.create(
        inbox=inbox,
        method=method[:8],
        headers={name: value.replace("\x00", "") for name, value in headers.items()},
        body=body,
        webhook_id=headers.get("webhook-id", "").replace("\x00", "")[:100],
        is_signature_valid=is_valid,
        signature_note=note,
        answered_status=status,
        received_at=now,
    )
    kept = SandboxRequest.objects.filter(inbox=inbox).order_by("-id").values("id")[:REQUESTS_KEPT]
    SandboxRequest.objects.filter(inbox=inbox).exclude(
        id__in=list(kept.values_list("id", flat=True))
    ).delete()
    return status


def _judge(
    inbox: SandboxInbox, headers: Mapping[str, str], body: bytes, now: datetime
) -> tuple[bool | None, str]:
    keys = _keys(inbox, now)
    if not keys:
        return None, "No secret to check with."
    try:
        signatures.verify(headers, body=body, keys=keys, now=now)
    except signatures.SignatureInvalid as problem:
        return False, str(problem)
    return True, ""


def _keys(inbox: SandboxInbox, now: datetime) -> list[bytes]:
    if inbox.sealed_secret:
        return [data_keys.decrypt(value=bytes(inbox.sealed_secret), purpose=_purpose(inbox.id))]
    endpoints = WebhookEndpoint.objects.kept().filter(url=url(inbox))
    return [key for endpoint in endpoints for key in webhook_endpoints.signing_keys(endpoint, now)]


def _key(secret: str) -> bytes:
    if not secret:
        return b""
    try:
        return signatures.read_secret(secret)
    except signatures.SecretInvalid as problem:
        message = str(problem)
        raise InboxInvalid(
            message, errors=[errors.FieldError("/secret", InboxInvalid.code, message)]
        ) from None


def _purpose(inbox_id: UUID) -> str:
    return f"sandbox-inbox:{inbox_id}"


def _locked(inbox_id: UUID) -> SandboxInbox:
    inbox = SandboxInbox.objects.locked().filter(id=inbox_id).first()
    if inbox is None:
        raise InboxUnknown("There is no such inbox.")
    return inbox


def _require_available() -> None:
    if not is_available():
        raise InboxUnavailable("Sandbox inboxes are there in test organisations only.")
