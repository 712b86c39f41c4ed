"""What crosses the border of approvals: kinds of deed, a new request, new rules, and what became of a request."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.access.contracts import PERMISSIONS
from apps.kit import ids
from apps.kit.money import Money

EXPIRES_IN = timedelta(hours=72)


class ApprovalStatus(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


class CountedBy(StrEnum):
    """What deeds agree in that a rule counts together: who is at the other end, who asks, or the application."""

    COUNTERPARTY = "COUNTERPARTY"
    PERSON = "PERSON"
    APPLICATION = "APPLICATION"


class ReminderStage(StrEnum):
    """What was said of a step that waits: to who decides it, to who is told too, to who may decide it from now on as well."""

    REMINDED = "REMINDED"
    ESCALATED = "ESCALATED"
    WIDENED = "WIDENED"


class RuleAction(StrEnum):
    """What a change of the rules does."""

    CREATE = "create"
    REPLACE = "replace"
    DEACTIVATE = "deactivate"


class Verdict(StrEnum):
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class ApprovalKind:
    """
    A kind of deed that may need approval.

    ``permission`` is what a person needs to ask for such a deed, ``page`` the name of the portal's page of its subject,
    which takes the subject's id; without one the subject is shown by its reference only. Of one that ``is_always`` asked
    for, somebody whose role decides requests agrees where no rule says who. What ``has_sum`` and is asked for without one is
    in several currencies: nobody approves it whose role has limits.
    """

    name: str
    title: str | Promise
    permission: str
    page: str = ""
    is_always: bool = False
    has_sum: bool = False


KINDS: dict[str, ApprovalKind] = {}


class DeclaredTwice(ValueError):
    """Two modules declare a kind of the same name in different ways."""


class PermissionNotKnown(ValueError):
    """A kind names a permission that no role can hold."""


class NotPlain(TypeError):
    """A payload holds what JSON cannot say exactly: write sums, ids and instants as text."""


def declare_kind(
    *,
    name: str,
    title: str | Promise,
    permission: str,
    page: str = "",
    is_always: bool = False,
    has_sum: bool = False,
) -> ApprovalKind:
    """Enter a kind of deed and return it; call it at import of the ``contracts`` module of the app that asks."""
    kind = ApprovalKind(name, title, permission, page, is_always, has_sum)
    if permission not in PERMISSIONS:
        raise PermissionNotKnown(f"{name}: there is no permission {permission}")
    if KINDS.setdefault(name, kind) != kind:
        raise DeclaredTwice(f"{name} is declared twice")
    return kind


RULE_CHANGE = declare_kind(
    name="approval_rule",
    title=gettext_lazy("Change of approval rules"),
    permission="approvals.manage",
    is_always=True,
)
"""A change of the rules themselves: decided under the rules that were in force when it was asked for."""


def payload_hash(payload: Mapping[str, Any]) -> str:
    """
    Return the SHA-256 of a payload in canonical JSON: the order of keys does not matter.

    Raises NotPlain for anything but texts, whole numbers, booleans, nulls, and lists and mappings of them.
    """
    _check_plain(payload)
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_plain(value: object) -> None:
    match value:
        case None | bool() | int() | str():
            return
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise NotPlain("the keys of a payload are texts")
            for child in value.values():
                _check_plain(child)
        case list() | tuple():
            for child in value:
                _check_plain(child)
        case _:
            raise NotPlain(f"a payload holds no {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Named:
    """
    A row that a payload names, as the audit trail calls it.

    ``made_by`` is the actor who made it, as the row keeps him; empty where only the trail knows.
    """

    object_type: str
    object_id: str
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class NewRequest:
    """
    Ask for approval of one deed.

    ``payload`` is plain JSON and holds everything that is decided, the sum included: its hash is what a decision is
    bound to, and what the asker compares before it acts. ``names`` are the rows that it names: whoever made one of them,
    was the last to change it, or changes it while the request waits, does not decide. ``subject_reference`` is the public
    id of what the deed is about, ``counterparty`` who is at the other end: a rule may count his deeds together. Within
    ``expires_in`` it must be decided.
    """

    kind: ApprovalKind
    subject_id: UUID
    subject_reference: str
    payload: Mapping[str, Any]
    names: Sequence[Named]
    branch_id: UUID
    application_id: UUID
    summary: str
    money: Money | None = None
    counterparty: str = ""
    expires_in: timedelta = EXPIRES_IN


@dataclass(frozen=True, slots=True)
class NewStep:
    """
    ``needed`` different people, each with one of the roles (by code), must approve.

    When the step has waited for ``further_after_hours``, those of ``further_roles`` may decide as well.
    """

    roles: Sequence[str]
    needed: int = 1
    further_roles: Sequence[str] = ()
    further_after_hours: int | None = None


@dataclass(frozen=True, slots=True)
class NewRule:
    """
    When a kind of deed needs approval, and by whom, step after step.

    The band is ``minimum_minor`` up to but not including ``maximum_minor``, in ``currency``; None, an empty currency
    and no branch mean any. Deeds within ``window_hours`` that agree in ``window_by`` are judged by their whole sum. A
    request that waits at a step for ``remind_after_hours`` is called to mind, after ``escalate_after_hours`` to people of
    ``escalate_roles`` too, who do not decide it for that.
    """

    kind: str
    steps: Sequence[NewStep]
    currency: str = ""
    minimum_minor: int | None = None
    maximum_minor: int | None = None
    branch_id: UUID | None = None
    priority: int = 0
    window_hours: int | None = None
    window_by: CountedBy | None = None
    remind_after_hours: int | None = None
    escalate_after_hours: int | None = None
    escalate_roles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a request, as a subscriber of ``approval_decided`` reads it."""

    request_id: UUID
    kind: str
    status: ApprovalStatus
    subject_id: UUID
    payload_hash: str
    reason: str = field(default="")

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Read the data of an event ``approval_decided``."""
        told = data["object"]
        return cls(
            request_id=ids.decode("apr", told["id"]),
            kind=told["kind"],
            status=ApprovalStatus(told["status"].upper()),
            subject_id=UUID(told["subject"]["id"]),
            payload_hash=told["payload_hash"],
            reason=told["reason"],
        )
