"""Reading links and invites: an application its own, an organisation those that concern it."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from apps.tenancy.contracts import GrantChangeStatus, InviteStatus, LinkStatus
from apps.tenancy.models import GrantChange, Invite, LinkRequest
from apps.tenancy.selectors import organisations

__all__ = [
    "GrantChange",
    "Invite",
    "LinkRequest",
    "accepted_of",
    "changes_of_present_organisation",
    "invites_of_present_organisation",
    "of_application",
    "of_present_organisation",
    "open_invite_by_digest",
    "taken_by_digest",
]


def of_application(application_id: UUID) -> QuerySet[LinkRequest]:
    """Return the links of a registered application, the newest first."""
    return (
        LinkRequest.objects.select_related("organisation")
        .prefetch_related(Prefetch("changes", GrantChange.objects.order_by("-id")))
        .filter(application_id=application_id)
        .order_by("-id")
    )


def of_present_organisation() -> QuerySet[LinkRequest]:
    """Return the links of the organisation that was entered, the newest first; no other's are ever among them."""
    return (
        LinkRequest.objects.select_related("application")
        .filter(organisation_id=organisations.current().id)
        .order_by("-id")
    )


def changes_of_present_organisation() -> QuerySet[GrantChange]:
    """Return the changes that applications wait for at the organisation that was entered, the oldest first."""
    return (
        GrantChange.objects.select_related("link__application")
        .filter(link__organisation_id=organisations.current().id, status=GrantChangeStatus.PENDING.value)
        .order_by("id")
    )


def accepted_of(application_id_there: UUID) -> LinkRequest | None:
    """Return the link by which an application of the present organisation works, or None."""
    return (
        of_present_organisation()
        .filter(application_id_there=application_id_there, status=LinkStatus.ACCEPTED.value)
        .first()
    )


def invites_of_present_organisation() -> QuerySet[Invite]:
    """Return the invites of the organisation that was entered, the newest first."""
    return (
        Invite.objects.select_related("made_by", "link__application")
        .filter(organisation_id=organisations.current().id)
        .order_by("-id")
    )


def open_invite_by_digest(digest: str) -> Invite | None:
    """Return the invite of a code that nobody has taken or withdrawn; whether it is too old is for the service to say."""
    return (
        Invite.objects.select_related("organisation")
        .filter(digest=digest, status=InviteStatus.PENDING.value)
        .first()
    )


def taken_by_digest(digest: str, application_id: UUID) -> LinkRequest | None:
    """Return the link that an application itself made with a code, or None."""
    return (
        of_application(application_id)
        .filter(id__in=Invite.objects.filter(digest=digest).values("link"))
        .first()
    )
