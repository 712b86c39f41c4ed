"""Reading sandbox inboxes and what they received."""

from uuid import UUID

from django.db.models import QuerySet

from apps.events.models import SandboxInbox, SandboxRequest


def visible(*, application_id: UUID | None) -> QuerySet[SandboxInbox]:
    """Return the inboxes of one application, or (None, for people in the portal) of all, newest first."""
    rows = SandboxInbox.objects.order_by("-id")
    return rows if application_id is None else rows.filter(application_id=application_id)


def get(inbox_id: UUID) -> SandboxInbox | None:
    return SandboxInbox.objects.filter(id=inbox_id).first()


def requests(inbox_id: UUID) -> QuerySet[SandboxRequest]:
    """Return what an inbox received, newest first."""
    return SandboxRequest.objects.filter(inbox_id=inbox_id).order_by("-id")
