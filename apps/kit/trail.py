"""What every audit trail shares: its tables, the form in which a record is hashed, and the SQL that guards it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from apps.kit.actors import ActorKind
from apps.kit.models import InsertOnlyModel, InsertOnlyViolation, UuidModel

SQL = Path(__file__).resolve().parent / "sql" / "trail.sql"
NOTHING_BEFORE = bytes(32)
"""What the first link has in place of the hash before."""
FORM = 1
FORM_NAMES = {1: "treasury.audit/1"}
"""The forms in which records were ever hashed, by the number that each link bears: an old link keeps its form."""
USER_AGENT_LENGTH = 300

user_agent: ContextVar[str] = ContextVar("user_agent", default="")
"""The program that made the request which is being served, as it calls itself."""


_approval: ContextVar[str] = ContextVar("approval", default="")


@contextmanager
def under_approval(request_id: UUID) -> Iterator[None]:
    """Let every record of this context name the approval request that was agreed to: for who does what was agreed."""
    token = _approval.set(str(request_id))
    try:
        yield
    finally:
        _approval.reset(token)


def present_approval() -> str:
    """Return the approval that is being carried out, or nothing."""
    return _approval.get()


def named(agent: str) -> str:
    """Return what a program calls itself, as a record keeps it."""
    return "".join(sign for sign in agent if sign.isprintable())[:USER_AGENT_LENGTH]


class TrailRecord(UuidModel, InsertOnlyModel):
    """
    One deed. Everything that it speaks of is text, so that a record outlives it.

    ``occurred_at`` is the time of the deed, ``recorded_at`` that of the database as it was written,
    ``transaction`` what the database calls the transaction that wrote it. ``person`` is the human
    on whose behalf it was done. ``changes`` maps a field to ``[before, after]``; secrets never enter it.
    """

    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    transaction = models.CharField(max_length=48, db_default="", editable=False)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in ActorKind])
    actor_id = models.CharField(max_length=64)
    person = models.CharField(max_length=64, blank=True, default="")
    changes = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    ip = models.CharField(max_length=45, blank=True, default="")
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True, default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class ChainModel(models.Model):
    """A row that the functions of the trail alone write."""

    class Meta:
        abstract = True

    def save(self, *_: Any, **__: Any) -> None:
        raise InsertOnlyViolation(f"{type(self).__name__} rows are written by the trail's functions")

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        raise InsertOnlyViolation(f"{type(self).__name__} rows are written by the trail's functions")


class TrailLink(ChainModel):
    """A sealed record: its number in the chain, and the hash of itself and of the link before."""

    seq = models.BigIntegerField(primary_key=True)
    form = models.SmallIntegerField()
    prev_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"link {self.seq}"


class WaitingRecord(ChainModel):
    """A record that is in no link yet; the row goes as the link comes."""

    number = models.BigAutoField(primary_key=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"waiting {self.number}"


def document(*, form: int, chain: str, seq: int, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is hashed of a record: its columns in JSON values, its number, the chain's name and the form's."""
    record = {name: _json_value(value) for name, value in columns.items()}
    return {"form": FORM_NAMES[form], "chain": chain, "seq": seq, "record": record}


def canonical(given: Mapping[str, Any]) -> bytes:
    """Return a document as JSON with sorted keys and without spaces, in UTF-8."""
    text = json.dumps(given, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def link_hash(*, prev_hash: bytes, given: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(prev_hash + canonical(given)).digest()


def statements(*, schema: str, quoted: str, records: str, links: str, waiting: str, prefix: str) -> str:
    """Return the SQL that guards a trail, for one schema."""
    names = {"s": quoted, "schema": schema, "records": records, "links": links, "waiting": waiting}
    text = SQL.read_text(encoding="utf-8")
    for name, value in {**names, "prefix": prefix}.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value) if isinstance(value, UUID) else value
