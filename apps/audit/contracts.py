"""What crosses the border of audit: what somebody looks for in the trail, and a sealed record as a file has it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    Which records; what is empty narrows nothing.

    ``person`` is the human on whose behalf it was done, ``kind`` the kind of actor, ``text`` words of the reason, or an
    identifier as a whole. ``until`` is excluded.
    """

    person: str = ""
    kind: str = ""
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    request_id: str = ""
    branch: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealedLine:
    """A sealed record with what was hashed of it, its number and both hashes."""

    seq: int
    document: dict[str, Any]
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """A record's place in the chain; ``is_intact`` says that it is what was sealed."""

    seq: int
    hash: bytes
    sealed_at: datetime
    is_intact: bool
