"""Verdicts: people say of what nobody knows how it ended what became of it; one says it with evidence, another agrees, and it ends so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.approvals.contracts import ApprovalStatus, Decided, NewRequest, payload_hash
from apps.approvals.selectors import requests as stored
from apps.approvals.services import requests
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import SYSTEM, Actor
from apps.kit.judged import Judged

ANSWERS_WITHIN = timedelta(days=1)
"""How long a provider may still tell by itself what became of something."""
UNKNOWN = "UNKNOWN"


class NotUnknown(errors.DomainError):
    """Only what nobody knows the end of is closed by people."""

    code = "verdict_not_unknown"
    title = "Not unknown"


class AnswerMayCome(errors.DomainError):
    """The provider may still tell what became of it: wait for a day, and for the questions that are planned."""

    code = "verdict_answer_may_come"
    title = "An answer may come"
    retryable = True


class VerdictWaits(errors.DomainError):
    """Other people are asked whether it is closed; that is decided or withdrawn first."""

    code = "verdict_waits"
    title = "Waits for approval"


class VerdictRuleMissing(errors.DomainError):
    """No approval rule says who may agree to the close of what nobody knows the end of."""

    code = "verdict_rule_missing"
    title = "Nobody may approve the close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Close[Row: Judged]:
    """
    How people close rows of one kind, each UNKNOWN; every method and function is called under the lock of its row.

    ``noun`` is what refusals call one, ``asked``, ``left`` and ``judged`` what the trail calls the deeds. ``request`` is what others are
    asked of what the row says now, the first of its names the row itself; ``changes`` is what the trail keeps of it. ``end`` ends a row
    as was agreed, in the name of who said it, and books last. ``hindrance`` says what else than a provider's answer came between, or
    nothing; ``state`` is the state that must be UNKNOWN.
    """

    noun: str
    asked: str
    left: str
    judged: str
    request: Callable[[Row], NewRequest]
    changes: Callable[[Row], dict[str, Any]]
    may_be_answered: Callable[..., bool]
    end: Callable[[Row, Actor, datetime], None]
    hindrance: Callable[[Row], str] = lambda _: ""
    state: Callable[[Row], str] = lambda row: str(row.status)
    known: type[errors.DomainError] = NotUnknown
    wait: str = "The provider may still answer. Wait for a day, and for the questions that are planned."

    def require_lost(self, row: Row, *, now: datetime) -> None:
        """Raise ``known``, VerdictWaits or AnswerMayCome for a row of which people cannot say now what became of it."""
        state = self.state(row)
        if state != UNKNOWN:
            state = state.lower().replace("_", " ")
            raise self.known(
                f"This {self.noun} is {state}: only one of which nobody knows is closed by people."
            )
        if row.verdict_by:
            raise VerdictWaits("Other people have been asked already.")
        if self.may_be_answered(row, now=now):
            raise AnswerMayCome(self.wait)

    def ask(self, row: Row, *, actor: Actor, now: datetime) -> Row:
        """Ask others to agree to what was written on the row, and keep it; raises VerdictRuleMissing where nobody could."""
        request = self.request(row)
        approval = requests.submit(request=request, actor=actor, now=now)
        if approval is None:
            raise VerdictRuleMissing(f"Make an approval rule for the close of unknown {self.noun}s first.")
        row.verdict_approval_id = approval.id
        row.save_progress()
        self._audit(self.asked, row, request, actor=actor, now=now, reason=row.verdict_reason)
        return row

    def decide(self, row: Row, *, decided: Decided, now: datetime) -> Row:
        """
        End the row as others have agreed. What they did not agree to is dropped, and so is what cannot be any more: the trail says why, and
        the row stays as it is. A repeat changes nothing, nor does a decision about another verdict than the row's.
        """
        if row.verdict_approval_id != decided.request_id or row.judged_at is not None:
            return row
        request = self.request(row)
        why = self._hindrance(row, request, decided, now=now)
        if why:
            return self.drop(row, why, now=now)
        maker = stored.maker_of(stored.within(None, None).get(id=decided.request_id))
        row.judged_at = now
        self.end(row, maker, now)
        self._audit(self.judged, row, request, actor=maker, now=now, reason=row.verdict_reason)
        return row

    def drop(self, row: Row, why: str, *, now: datetime) -> Row:
        """Take back what was said, and say on the trail why; the row stays as it is."""
        self._audit(self.left, row, self.request(row), actor=SYSTEM, now=now, reason=why)
        row.unsay()
        row.save_progress()
        return row

    def _hindrance(self, row: Row, request: NewRequest, decided: Decided, *, now: datetime) -> str:
        if decided.status != ApprovalStatus.APPROVED:
            return decided.reason or f"The request is {decided.status.lower()}."
        if decided.payload_hash != payload_hash(request.payload):
            return f"The {self.noun} is not as it was approved."
        if self.state(row) != UNKNOWN:
            return "The provider has answered meanwhile."
        if self.may_be_answered(row, now=now):
            return "The provider is asked again meanwhile."
        return self.hindrance(row)

    def _audit(
        self, action: str, row: Row, request: NewRequest, *, actor: Actor, now: datetime, reason: str
    ) -> None:
        records.write(
            action=action,
            object_type=request.names[0].object_type,
            object_id=request.names[0].object_id,
            actor=actor,
            now=now,
            changes=self.changes(row),
            reason=reason,
            branch=request.branch_id,
            approval=row.verdict_approval_id,
        )


def is_fresh(unknown_at: datetime | None, *, now: datetime) -> bool:
    """Say whether a provider had no whole day yet to tell by itself what became of something."""
    return unknown_at is None or now < unknown_at + ANSWERS_WITHIN
