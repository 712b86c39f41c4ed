"""The choice of an account, as a pure function of the payment, the accounts, the rules and what was tried before."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from apps.kit.money import Money
from apps.payments.contracts import DropReason, NewRoutingRule, RoutingStrategy

FALLBACKS_MAX = 1
ATTEMPTS_MAX = 3
TURNS = 2**64


class Past(StrEnum):
    """How the attempt before ended: it never left, our own gate kept it back, it was refused, or nobody knows yet."""

    NOT_SENT = "NOT_SENT"
    HELD_BACK = "HELD_BACK"
    REFUSED = "REFUSED"
    REFUSED_BY_ACCOUNT = "REFUSED_BY_ACCOUNT"
    OPEN = "OPEN"


KNOWN_FAILURES = {Past.NOT_SENT, Past.HELD_BACK, Past.REFUSED_BY_ACCOUNT}
"""After these alone is a payment sent again without being asked: nothing can have been paid."""
SAME_AGAIN = {Past.NOT_SENT, Past.HELD_BACK}
"""After these the same account may be asked once more."""


@dataclass(frozen=True, slots=True)
class Question:
    """The payment to be routed, with the ``methods`` that it may be paid by, first the preferred one; ``at`` is now, in the organisation's zone."""

    intent_id: UUID
    money: Money
    methods: tuple[str, ...]
    branch_id: UUID
    application_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    An enabled account of one of the methods and of the currency that may serve the branch.

    ``is_default`` says that it serves the branch where no rule names it.
    """

    account_id: UUID
    method: str
    minimum: Money
    maximum: Money
    is_default: bool = True
    is_foreign: bool = False
    is_circuit_open: bool = False
    is_misconfigured: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in use, with its id."""

    id: UUID
    terms: NewRoutingRule


@dataclass(frozen=True, slots=True)
class Before:
    """The attempt that a new one is to follow without being asked for, and what led to it; ``tries`` were sent in all."""

    account_id: UUID
    past: Past
    tries: int
    fallbacks: int


@dataclass(frozen=True, slots=True)
class Decision:
    """
    Which account is asked: the first of ``candidates``, none where there is none.

    ``dropped`` says why others could not take it.
    """

    candidates: tuple[UUID, ...] = ()
    dropped: Mapping[UUID, DropReason] = field(default_factory=dict)
    rule_id: UUID | None = None
    is_fallback: bool = False

    @property
    def chosen(self) -> UUID | None:
        return self.candidates[0] if self.candidates else None


def decide(
    question: Question,
    *,
    accounts: Sequence[Candidate],
    rules: Sequence[Rule],
    before: Before | None = None,
) -> Decision:
    """
    Choose the account that asks the payer next.

    For each method in its turn, the first of ``rules`` that fits, in the order given, says which accounts come first, of other
    methods too where it is not of one; behind them stand those of the method that serve the branch anyway, in the order of
    ``accounts``. An account that is unwell gives way to a well one, and is taken where
    there is none: then the payment waits at its gate. After a failure (``before``) the payment goes on only where nothing can have been
    paid: once to another account, else to the same one.
    """
    if before is not None and not _may_go_on(before):
        return Decision()
    known = {account.account_id: account for account in accounts}
    places, by_rule = _places(question, accounts, rules)
    dropped = {account_id: DropReason.UNAVAILABLE for account_id in places if account_id not in known}
    order = [known[account_id] for account_id in places if account_id in known]
    order = _without(order, dropped, lambda account: _unfit(account, question.money))
    if before is None:
        order = _well(order, dropped)
        is_fallback = False
    else:
        order, is_fallback = _after(before, order, dropped)
    candidates = tuple(account.account_id for account in order)
    return Decision(candidates, dropped, by_rule.get(candidates[0]) if candidates else None, is_fallback)


def may_follow(decision: Decision, before: Before) -> bool:
    """Say whether a payment goes on by itself by this decision."""
    return decision.chosen is not None and (decision.is_fallback or before.past in SAME_AGAIN)


def fits(terms: NewRoutingRule, question: Question, method: str) -> bool:
    """Say whether a payment falls under a rule if it is paid by a method."""
    money, at = question.money, question.at
    return (
        terms.branch_id in (None, question.branch_id)
        and terms.application_id in (None, question.application_id)
        and terms.method in (None, method)
        and terms.currency in ("", money.currency)
        and (terms.minimum_minor is None or money.minor >= terms.minimum_minor)
        and (terms.maximum_minor is None or money.minor < terms.maximum_minor)
        and (not terms.weekdays or str(at.isoweekday()) in terms.weekdays)
        and _is_within(terms, at)
    )


def _is_within(terms: NewRoutingRule, at: datetime) -> bool:
    begins, ends, now = terms.from_time, terms.to_time, at.time()
    if begins is None or ends is None:
        return True
    return begins <= now < ends if begins < ends else now >= begins or now < ends


def _may_go_on(before: Before) -> bool:
    return before.past in KNOWN_FAILURES and before.tries < ATTEMPTS_MAX


def _places(
    question: Question, accounts: Sequence[Candidate], rules: Sequence[Rule]
) -> tuple[list[UUID], dict[UUID, UUID]]:
    """Return the accounts in their order, and the rule by which each of them stands where it does, if it is one."""
    places: dict[UUID, None] = {}
    by_rule: dict[UUID, UUID] = {}
    for method in question.methods:
        rule = next((rule for rule in rules if fits(rule.terms, question, method)), None)
        if rule is not None:
            named = [each for each in _wanted(rule, question.intent_id) if each not in places]
            places |= dict.fromkeys(named)
            by_rule |= dict.fromkeys(named, rule.id)
        own = [each.account_id for each in accounts if each.is_default and each.method == method]
        places |= dict.fromkeys(own)
    return list(places), by_rule


def _wanted(rule: Rule, intent_id: UUID) -> list[UUID]:
    """Return the accounts of a rule in the order for one payment: always the same for the same payment."""
    targets = rule.terms.targets
    if rule.terms.strategy is RoutingStrategy.SPLIT:
        targets = tuple(sorted(targets, key=lambda each: _turn(intent_id, each.account_id, each.weight or 1)))
    return [target.account_id for target in targets]


def _turn(intent_id: UUID, account_id: UUID, weight: int) -> float:
    """
    Return the account's turn for a payment, the lowest is first: each is first for its share of all payments.

    It depends on nothing but the two and the weight, so that an account that drops out moves its own payments alone.
    """
    digest = hashlib.sha256(intent_id.bytes + account_id.bytes).digest()
    drawn = (int.from_bytes(digest[:8], "big") + 1) / (TURNS + 1)
    return -math.log(drawn) / weight


def _unfit(account: Candidate, money: Money) -> DropReason | None:
    if account.is_foreign:
        return DropReason.ENVIRONMENT
    return None if account.minimum <= money <= account.maximum else DropReason.AMOUNT


def _unwell(account: Candidate) -> DropReason | None:
    if account.is_misconfigured:
        return DropReason.CONFIGURATION
    return DropReason.CIRCUIT_OPEN if account.is_circuit_open else None


def _well(order: list[Candidate], dropped: dict[UUID, DropReason]) -> list[Candidate]:
    """Return the accounts that are well, or all of them where none is."""
    if all(_unwell(account) for account in order):
        return order
    return _without(order, dropped, _unwell)


def _after(
    before: Before, order: list[Candidate], dropped: dict[UUID, DropReason]
) -> tuple[list[Candidate], bool]:
    """Return the accounts that may follow a failed one, and whether that is a fallback."""
    same = [account for account in order if account.account_id == before.account_id]
    if before.fallbacks < FALLBACKS_MAX:
        others: dict[UUID, DropReason] = {}
        found = _without(order, others, lambda account: _unfollowing(account, before))
        if found:
            dropped.update(others)
            return found, True
    return (same if before.past in SAME_AGAIN else []), False


def _unfollowing(account: Candidate, before: Before) -> DropReason | None:
    if account.account_id == before.account_id:
        return DropReason.TRIED
    return _unwell(account)


def _without(
    order: list[Candidate],
    dropped: dict[UUID, DropReason],
    reason_of: Callable[[Candidate], DropReason | None],
) -> list[Candidate]:
    """Return those that no reason speaks against, and note the reason of each of the others."""
    kept = []
    for account in order:
        reason = reason_of(account)
        if reason is None:
            kept.append(account)
        else:
            dropped[account.account_id] = reason
    return kept
