"""Gates: whether a call of a kind may leave an account now, by its circuit and its rate; people open and close circuits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.integrations.contracts import call_kinds
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import ProviderHeldBack
from apps.integrations.selectors import accounts as stored
from apps.integrations.selectors import circuits as standing
from apps.integrations.services.accounts import OBJECT_TYPE
from apps.kit import circuits, http, rate_limits
from apps.kit.actors import Actor
from apps.kit.errors import FieldError, Invalid
from apps.kit.rate_limits import InOutage, Limit

SECOND = 1


class CallKindUnknown(Invalid):
    """The account's provider is asked nothing of that kind."""

    code = "call_kind_unknown"
    title = "No such kind of call"


@dataclass(frozen=True, slots=True)
class Gate:
    """
    The gate of one account. ``judge`` says of an answer whether the provider is working; a time-out and a call that
    never left say that it is not.
    """

    account_id: UUID
    calls_per_second: int
    judge: Callable[[http.Answer], bool]
    now: datetime

    def admit(self, kind: str) -> None:
        """Let a call of this kind pass, or raise ProviderHeldBack: nothing leaves then. Without Redis every call passes."""
        name = standing.name(self.account_id, kind)
        if not circuits.admit(name, now=self.now):
            raise ProviderHeldBack(
                "Calls of this kind are stopped for a while: the provider failed again and again, or somebody stopped them.",
                pause=timedelta(seconds=circuits.REST),
            )
        limit = Limit("calls", f"calls:{name}", self.calls_per_second, SECOND)
        if not rate_limits.take([limit], now=self.now, in_outage=InOutage.LET_IN).is_allowed:
            raise ProviderHeldBack(
                "As many calls as the account may make have left in this second.",
                pause=timedelta(seconds=SECOND),
            )

    def note(self, kind: str, answer: http.Answer | None, *, seconds: float) -> None:
        """Take into account what came back after so many seconds; None where nothing did."""
        is_well = answer is not None and self.judge(answer)
        ended = self.now + timedelta(seconds=seconds)
        circuits.note(standing.name(self.account_id, kind), is_well=is_well, now=ended)


@transaction.atomic
def open_circuit(*, account_id: UUID, kind: str, actor: Actor, now: datetime, reason: str) -> ProviderAccount:
    """Let no call of a kind leave an account until a person closes the circuit; raises CallKindUnknown, CircuitOutOfReach."""
    account = _known(account_id, kind)
    _record("open_circuit", account, kind, actor, now, reason)
    circuits.hold_open(standing.name(account.id, kind), now=now)
    return account


@transaction.atomic
def close_circuit(
    *, account_id: UUID, kind: str, actor: Actor, now: datetime, reason: str
) -> ProviderAccount:
    """Let calls of a kind leave again, whoever opened the circuit; raises CallKindUnknown, CircuitOutOfReach."""
    account = _known(account_id, kind)
    _record("close_circuit", account, kind, actor, now, reason)
    circuits.close(standing.name(account.id, kind))
    return account


def _known(account_id: UUID, kind: str) -> ProviderAccount:
    account = stored.get(account_id)
    if kind not in call_kinds(account.provider):
        message = "The provider is asked nothing of that kind."
        raise CallKindUnknown(message, errors=[FieldError("/kind", CallKindUnknown.code, message)])
    return account


def _record(deed: str, account: ProviderAccount, kind: str, actor: Actor, now: datetime, reason: str) -> None:
    records.write(
        action=f"provider_account.{deed}",
        object_type=OBJECT_TYPE,
        object_id=str(account.id),
        actor=actor,
        now=now,
        changes={"kind": [None, kind]},
        reason=reason,
    )
