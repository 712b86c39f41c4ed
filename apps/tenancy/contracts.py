"""What crosses the border of tenancy: new organisations, who sees which branch; applications, links and invites."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class BranchPolicy(StrEnum):
    """What somebody who works for some branches sees of the others."""

    STRICT = "STRICT"
    PARENT_SEES_CHILDREN = "PARENT_SEES_CHILDREN"
    SHARED_PARTIES = "SHARED_PARTIES"


BRANCH_POLICIES: dict[BranchPolicy, Promise] = {
    BranchPolicy.STRICT: _("Own branches only"),
    BranchPolicy.PARENT_SEES_CHILDREN: _("Own branches and all below them"),
    BranchPolicy.SHARED_PARTIES: _("Own branches, and the parties of all"),
}


class ApplicationKind(StrEnum):
    """A product serves its own users; a partner connects organisations of others."""

    PRODUCT = "PRODUCT"
    PARTNER = "PARTNER"


class ApplicationStatus(StrEnum):
    """PENDING can do nothing but look at itself; SUSPENDED is closed, and so are its keys at every organisation."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    SUSPENDED = "SUSPENDED"


class LinkOrigin(StrEnum):
    """How a link came about: the application asked, the organisation invited it, or it made the organisation."""

    REQUEST = "REQUEST"
    INVITE = "INVITE"
    CREATION = "CREATION"


class LinkStatus(StrEnum):
    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class GrantChangeStatus(StrEnum):
    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


class OrganisationRequestStatus(StrEnum):
    """ACCEPTED is being set up, or is there."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


class InviteStatus(StrEnum):
    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Branding:
    """
    What an organisation is known by: a colour, the names that its e-mails and SMS come from (empty: its own), its tax
    number, and the phone number or e-mail address at which it helps those who pay.
    """

    brand_color: str
    email_sender: str = ""
    sms_sender: str = ""
    tax_number: str = ""
    support_contact: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """What an organisation counts in: ``fiscal_year_start`` is the month, 1 to 12, in which its years begin."""

    base_currency: str
    time_zone: str
    fiscal_year_start: int = 1


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that is kept among the files of the organisation, and its size in pixels."""

    file_id: UUID
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Look:
    """
    What an organisation is recognised by, ready to be drawn: on its pages, its sheets and its messages.

    ``on_color`` is written on the colour. ``logo_path`` is an address on its own hosts, "" where there is none and the
    initials stand for it. ``email_sender`` is never empty; ``sms_sender``, ``tax_number`` and
    ``support_contact`` are where none is known. ``support_link`` calls or writes to that contact.
    """

    name: str
    initials: str
    color: str
    on_color: str
    logo: Logo | None
    logo_path: str
    email_sender: str
    sms_sender: str
    tax_number: str
    support_contact: str

    @property
    def support_link(self) -> str:
        if not self.support_contact:
            return ""
        is_address = "@" in self.support_contact
        return (
            f"mailto:{self.support_contact}" if is_address else f"tel:{''.join(self.support_contact.split())}"
        )


@dataclass(frozen=True, slots=True)
class NewOrganisation:
    """A name for addresses, a name for people, whose money, and the branch that stands for the whole."""

    slug: str
    name: str
    is_test: bool = False
    branch_code: str = "HQ"
    branch_name: str = "Head office"
