"""Routing: which account asks a payer, decided when an attempt begins and stored with it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.integrations.contracts import Environment, ProviderAccountMissing
from apps.integrations.ports import HELD_BACK
from apps.integrations.selectors import accounts, circuits
from apps.kit.compiled import Inserted
from apps.kit.money import Money
from apps.payments.contracts import DROP_REASONS, METHODS, Method
from apps.payments.models import PaymentAttempt, PaymentIntent, RoutingDecision, SavedMethod
from apps.payments.models.attempt import NOT_SENT
from apps.payments.selectors import routing as stored
from apps.payments.services import routing_choice as choice
from apps.payments.services.routing_choice import Before, Candidate, Decision, Past, Question, Rule
from apps.tenancy.selectors import organisations

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

LEFT_ALONE = timedelta(minutes=10)
"""For how long payments avoid an account that was not set up right; then one tries."""

_KEPT = Inserted[RoutingDecision]()


@dataclass(frozen=True, slots=True)
class Routed:
    """The account that asks the payer, and the decision behind it."""

    account: "ProviderAccount"
    decision: Decision


class CircuitsUnread(Exception):
    """Several accounts may serve, and nobody has looked which of them are stopped: that is not waited for under a lock."""

    def __init__(self, accounts: Sequence["ProviderAccount"]) -> None:
        super().__init__("circuits are read before rows are locked")
        self.accounts = accounts


def choose(intent: PaymentIntent, *, stopped: Collection[UUID] | None, now: datetime) -> Routed:
    """
    Choose the account for the next attempt of a confirmed intent that the caller has locked.

    ``stopped`` are the accounts whose circuits let nothing through; None for a caller that has not looked: then CircuitsUnread is
    raised where it matters. Raises ProviderAccountMissing where none can ask the payer, and says why.
    """
    found = _open_to(intent)
    if stopped is None and len(found) > 1:
        raise CircuitsUnread(found)
    decision = _decided(
        question(intent, at=now),
        found,
        before=_before(intent),
        stopped=stopped or (),
        is_bound=_is_bound(intent),
        now=now,
    )
    if decision.chosen is None:
        raise ProviderAccountMissing(_lacking(intent, found, decision))
    account = next(account for account in found if account.id == decision.chosen)
    return Routed(account, decision)


def goes_on(attempt: PaymentAttempt, *, now: datetime) -> bool:
    """Say whether an intent goes on through another account by itself, the current one having refused by its own fault."""
    intent = attempt.intent
    before = _after(attempt, Past.REFUSED_BY_ACCOUNT)
    decision = _decided(
        question(intent, at=now), _open_to(intent), before=before, is_bound=_is_bound(intent), now=now
    )
    return choice.may_follow(decision, before)


def takers(intent: PaymentIntent, *, method: Method, now: datetime) -> list["ProviderAccount"]:
    """Return the accounts that could take a payment by a method, first the one that it would go through; see ``choose``."""
    found = _serving(intent.branch_id, method, intent.currency)
    asked = replace(question(intent, at=now), methods=(method.value,))
    known = {account.id: account for account in found}
    return [known[account_id] for account_id in _decided(asked, found, before=None, now=now).candidates]


def serving(*, branch_id: UUID, methods: Sequence[str], currency: str) -> list["ProviderAccount"]:
    """Return the accounts that may serve a branch in a currency, those of the methods in their order."""
    return [account for method in methods for account in _serving(branch_id, method, currency)]


def keep(attempt: PaymentAttempt, decision: Decision) -> None:
    """Store why an attempt goes through its account, and what its payer had chosen, in the caller's transaction."""
    _KEPT.insert(
        RoutingDecision(
            attempt=attempt,
            rule_id=decision.rule_id,
            is_fallback=decision.is_fallback,
            methods=attempt.intent.methods,
            candidates=[str(account_id) for account_id in decision.candidates],
            dropped={str(account_id): reason.value for account_id, reason in decision.dropped.items()},
        )
    )


def limits_of(*, branch_id: UUID, method: Method, money: Money) -> list[tuple[Money, Money]]:
    """
    Return the smallest and the largest payment of every account that may serve, the branch's own first; see ``choose``.

    Raises ProviderAccountMissing where no account serves at all.
    """
    found = _serving(branch_id, method.value, money.currency)
    if not found:
        raise ProviderAccountMissing(_missing(method, money.currency))
    defaults = [account for account in found if _is_default(account, found, branch_id)]
    own = [(account.minimum, account.maximum) for account in defaults]
    if any(least <= money <= most for least, most in own):
        return own
    named = {target.account_id for _, terms in stored.in_use(branch_id) for target in terms.targets}
    others = [account for account in found if account.id in named and account not in defaults]
    return own + [(account.minimum, account.maximum) for account in others]


def limits_of_keeper(saved: SavedMethod, *, money: Money) -> list[tuple[Money, Money]]:
    """
    Return the smallest and the largest payment of the one account that keeps a saved method.

    Raises ProviderAccountMissing where it does not serve the branch, or not in this currency, any more.
    """
    serving = _serving(saved.branch_id, saved.method.value, money.currency)
    found = [account for account in serving if account.id == saved.provider_account_id]
    if not found:
        raise ProviderAccountMissing(_missing(saved.method, money.currency))
    return [(account.minimum, account.maximum) for account in found]


def candidates(
    found: Sequence["ProviderAccount"],
    *,
    branch_id: UUID,
    now: datetime | None,
    stopped: Collection[UUID] | None = None,
) -> list[Candidate]:
    """
    Return what is known of accounts that may serve a branch; without ``now`` all of them are taken to be well. Circuits are read
    unless the caller says which accounts are ``stopped``.
    """
    is_looked_at = now is not None and len(found) > 1
    if stopped is None:
        stopped = circuits.stopped_ids(found, now=now) if is_looked_at and now else ()
    wrong = misconfigured_ids(found, now=now) if is_looked_at and now else set()
    is_test = organisations.current().is_test
    return [
        Candidate(
            account_id=account.id,
            method=METHODS[account.provider].value,
            minimum=account.minimum,
            maximum=account.maximum,
            is_default=_is_default(account, found, branch_id),
            is_foreign=(account.environment == Environment.PRODUCTION) is is_test,
            is_circuit_open=account.id in stopped,
            is_misconfigured=account.id in wrong,
        )
        for account in found
    ]


def misconfigured_ids(found: Sequence["ProviderAccount"], *, now: datetime) -> set[UUID]:
    """Return the accounts that a payment found not set up right a moment ago, and whose secrets are the same since."""
    set_at = {account.id: account.credentials_set_at for account in found}
    attempts = PaymentAttempt.objects.misconfigured(set_at, since=now - LEFT_ALONE)
    failed = attempts.values_list("provider_account_id", "created_at")
    return {account_id for account_id, at in failed if at >= set_at[account_id]}


def question(intent: PaymentIntent, *, at: datetime) -> Question:
    """Return what is asked about a payment; ``at`` is the instant that its rules are read for."""
    return Question(
        intent_id=intent.id,
        money=intent.money,
        methods=tuple(intent.methods),
        branch_id=intent.branch_id,
        application_id=intent.application_id,
        at=at.astimezone(ZoneInfo(organisations.current().time_zone)),
    )


def _decided(
    asked: Question,
    found: Sequence["ProviderAccount"],
    *,
    before: Before | None,
    is_bound: bool = False,
    now: datetime,
    stopped: Collection[UUID] | None = None,
) -> Decision:
    rules = [] if is_bound else stored.in_use(asked.branch_id)
    return choice.decide(
        asked,
        accounts=candidates(found, branch_id=asked.branch_id, now=now, stopped=stopped),
        rules=[Rule(rule_id, terms) for rule_id, terms in rules],
        before=before,
    )


def _open_to(intent: PaymentIntent) -> list["ProviderAccount"]:
    """Return the accounts that may serve an intent: of a saved method the one that keeps it."""
    found = serving(branch_id=intent.branch_id, methods=intent.methods, currency=intent.currency)
    if intent.saved_method is None:
        return found
    return [account for account in found if account.id == intent.saved_method.provider_account_id]


def _is_bound(intent: PaymentIntent) -> bool:
    """Say whether an intent goes through one account whatever the rules say: that which keeps its saved method."""
    return intent.saved_method_id is not None


def _serving(branch_id: UUID, method: str, currency: str) -> list["ProviderAccount"]:
    return accounts.serving(branch_id=branch_id, provider=Method(method).provider, currency=currency)


def _is_default(account: "ProviderAccount", found: Sequence["ProviderAccount"], branch_id: UUID) -> bool:
    """Say whether an account serves a branch where no rule names it: its own, else head office's, of each provider."""
    alike = (other for other in found if other.provider == account.provider)
    return account.branch_id == branch_id or all(other.branch_id != branch_id for other in alike)


def _before(intent: PaymentIntent) -> Before | None:
    """
    Return the attempt that the next one follows by itself, None where the payer confirmed it anew.

    After a refusal something follows by itself only where ``goes_on`` said so.
    """
    if not intent.is_following:
        return None
    last: PaymentAttempt = intent.attempts.select_related("provider_account").order_by("-number")[0]
    last.intent = intent
    pasts = {NOT_SENT: Past.NOT_SENT, HELD_BACK: Past.HELD_BACK}
    past = pasts.get(last.failure_code, Past.REFUSED_BY_ACCOUNT)
    return _after(last, Past.OPEN if last.is_live or last.unknown_at else past)


def _after(attempt: PaymentAttempt, past: Past) -> Before:
    intent_id = attempt.intent_id
    return Before(
        account_id=attempt.provider_account_id,
        past=past,
        tries=attempt.intent.attempts.sent().count(),
        fallbacks=RoutingDecision.objects.filter(attempt__intent_id=intent_id, is_fallback=True).count(),
    )


def _lacking(intent: PaymentIntent, found: Sequence["ProviderAccount"], decision: Decision) -> str:
    names = {account.id: str(account) for account in found}
    why = [
        f"{names[account_id]}: {DROP_REASONS[reason]}"
        for account_id, reason in decision.dropped.items()
        if account_id in names
    ]
    if not found:
        return " ".join(_missing(Method(method), intent.currency) for method in intent.methods)
    return f"No account can ask the payer. {'. '.join(why)}".strip()


def _missing(method: Method, currency: str) -> str:
    return f"No enabled {method.provider} account in {currency} serves this branch. Add one under Provider accounts."
