"""Dry runs: through which accounts the payments of the last month would have gone by other rules."""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.contracts import Caller
from apps.access.selectors import branches, memberships, scope
from apps.integrations.selectors import accounts
from apps.jobs.contracts import FileFormat, NewJob, Progress, ResultFile, Work
from apps.jobs.services import jobs, tables
from apps.jobs.services.jobs import Job
from apps.kit import errors, ids
from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.payments.contracts import NewRoutingRule
from apps.payments.models import PaymentAttempt
from apps.payments.selectors import routing as stored
from apps.payments.services import routing, routing_checks
from apps.payments.services.routing_choice import Candidate, Decision, Rule, decide
from apps.payments.services.routing_rules import described, read

KIND = "routing_dry_run"
PERMISSION = "payments.view"
SCOPE = "payments:read"
SINCE = timedelta(days=30)
CHUNK = 500
LISTED_MAX = 50_000
"""Payments that the file lists; all of them are counted and summed up."""


@dataclass(slots=True)
class _Found:
    """What a run has found so far: ``moved`` sums by the accounts that payments came from and would go to."""

    looked_at: int = 0
    elsewhere: int = 0
    moved: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    rows: list[tuple[tables.Cell, ...]] = field(default_factory=list)


@transaction.atomic
def start(
    *,
    rule: NewRoutingRule | None,
    instead_of: UUID | None,
    caller: scope.Principal,
    actor: Actor,
    now: datetime,
) -> Job:
    """
    Have a worker route the payments of the last 30 days that the caller sees again, and list those that go elsewhere.

    They go by the rules in use, with ``rule`` among them in the place of ``instead_of``; with neither, by the rules in use as
    they are. Every account is taken to be well. Nothing is changed. Raises RoutingRuleInvalid and BranchForbidden for a rule
    that the caller could not make, and NotFound.
    """
    if instead_of is not None and not stored.visible_to(caller).filter(id=instead_of).exists():
        raise errors.NotFound("There is no such routing rule.")
    if rule is not None:
        routing_checks.check(
            rule,
            within=scope.own_branch_ids(caller),
            application_id=caller.application_id if isinstance(caller, Caller) else None,
            instead_of=instead_of,
        )
    reach, applications = scope.branch_ids(caller), scope.application_ids(caller)
    membership = None if isinstance(caller, Caller) else memberships.of(caller)
    return jobs.start(
        request=NewJob(
            kind=KIND,
            title=_("Dry run of routing"),
            branch_id=branches.head_office().id,
            application_id=scope.application_id(caller),
            branch_ids=None if reach is None else frozenset(reach),
            application_ids=None if applications is None else frozenset(applications),
            permission=PERMISSION,
            scope=SCOPE,
            actor=actor,
            starter_id=None if membership is None else membership.id,
            parameters={
                "rule": described(rule) if rule else None,
                "instead_of": str(instead_of or ""),
            },
        ),
        now=now,
    )


def run(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """Decide anew for one payment after the other, and write what would have gone elsewhere."""
    attempts = _attempts(work)
    total = attempts.count()
    yield Progress(done=0, total=total)
    found, rules = _Found(), list(_rules(work.parameters))
    book = _Accounts()
    last: UUID | None = None
    while page := list((attempts.filter(id__gt=last) if last else attempts)[:CHUNK]):
        for attempt in page:
            _weigh(attempt, rules, book, found)
        last = page[-1].id
        yield Progress(done=found.looked_at, total=max(total, found.looked_at))
    return _written(work, found)


class _Accounts:
    """The accounts that serve, read once for each branch, currency and choice of methods."""

    def __init__(self) -> None:
        self._served: dict[tuple[UUID, str, tuple[str, ...]], list[Candidate]] = {}
        self.names = {account.id: str(account) for account in accounts.everything()}

    def serving(self, attempt: PaymentAttempt) -> list[Candidate]:
        branch_id, currency, methods = key = attempt.branch_id, attempt.currency, _methods(attempt)
        if key not in self._served:
            found = routing.serving(branch_id=branch_id, methods=methods, currency=currency)
            self._served[key] = routing.candidates(found, branch_id=branch_id, now=None)
        return self._served[key]


def _attempts(work: Work) -> Any:
    """Return the first attempts of the payments in question that rules could move, the oldest first: none of a saved method."""
    began = PaymentAttempt.objects.filter(
        number=1,
        routing__isnull=False,
        saved_method__isnull=True,
        created_at__gt=work.taken_up_at - SINCE,
    )
    if work.branch_ids is not None:
        began = began.filter(branch_id__in=work.branch_ids)
    if work.application_ids is not None:
        began = began.filter(application_id__in=work.application_ids)
    return began.select_related("intent", "routing").order_by("id")


def _rules(asked: Mapping[str, Any]) -> Iterator[Rule]:
    """Return the rules as they would be, in the order in which they are asked."""
    kept = [(key, terms) for key, terms in stored.in_use(None) if str(key) != asked["instead_of"]]
    if asked["rule"]:
        kept.append((ids.new(), read(asked["rule"])))
    for key, terms in sorted(kept, key=lambda each: (each[1].branch_id is None, each[1].position)):
        yield Rule(key, terms)


def _weigh(attempt: PaymentAttempt, rules: list[Rule], book: _Accounts, found: _Found) -> None:
    found.looked_at += 1
    asked = replace(routing.question(attempt.intent, at=attempt.created_at), methods=_methods(attempt))
    decision = decide(asked, accounts=book.serving(attempt), rules=rules)
    if decision.chosen == attempt.provider_account_id:
        return
    found.elsewhere += 1
    came, goes = book.names[attempt.provider_account_id], _target(decision, book)
    found.moved[came, goes, attempt.currency] += attempt.amount_minor
    if len(found.rows) < LISTED_MAX:
        names = {rule.id: rule.terms.name for rule in rules}
        found.rows.append(
            (
                attempt.created_at.isoformat(timespec="seconds"),
                ids.encode("pi", attempt.intent_id),
                attempt.intent.reference,
                attempt.money,
                attempt.currency,
                came,
                goes,
                names.get(decision.rule_id, "") if decision.rule_id else "",
            )
        )


def _methods(attempt: PaymentAttempt) -> tuple[str, ...]:
    """Return what the payer had chosen when the attempt began; he may have chosen anew since."""
    return tuple(attempt.routing.methods)


def _target(decision: Decision, book: _Accounts) -> str:
    return book.names[decision.chosen] if decision.chosen else _("no account")


def _written(work: Work, found: _Found) -> ResultFile:
    totals = tuple(
        (f"{came} → {goes}", Money(minor, currency))
        for (came, goes, currency), minor in sorted(found.moved.items())
    )
    heads = (
        *(_("Requested"), _("Payment"), _("Reference"), _("Amount"), _("Currency")),
        *(_("Went through"), _("Would go through"), _("Rule")),
    )
    name = f"routing-dry-run-{work.taken_up_at:%Y-%m-%d-%H%M}.csv"
    content_type = tables.write(
        work.folder / name,
        tables.File(
            title=_("Dry run of routing"),
            facts=(
                (_("Payments of 30 days"), found.looked_at),
                (_("Would go elsewhere"), found.elsewhere),
            ),
            totals=totals,
            heads=heads,
            rows=found.rows,
            at=work.taken_up_at,
        ),
        FileFormat.CSV,
    )
    return ResultFile(work.folder / name, name, content_type, found.elsewhere, totals)
