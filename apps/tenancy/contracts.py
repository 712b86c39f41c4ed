"""What crosses the border of tenancy: kinds and states of registered applications, of links and of invites."""

from enum import StrEnum


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


class InviteStatus(StrEnum):
    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
