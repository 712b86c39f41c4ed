"""What a run must have hit at least once, and the table that says how often it did."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Model

from apps.approvals.models import ApprovalRequest
from apps.disbursements.models import ConnectedAccount, Transfer, TransferReversal
from apps.events.models import EventDelivery, WebhookDelivery
from apps.integrations.models import CallbackProcessing
from apps.jobs.models import Job
from apps.ledger.models import Hold
from apps.payments.contracts import LateMoney
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt, PaymentIntent, Refund
from apps.payments.services.pay_pages import Claim
from tests.simulation import actions, cards, part_truths, street, transferring, wallets
from tests.simulation.dispute_rails import RAILS
from tests.simulation.interruptions import CRASH_POINTS, NETWORK_FAULTS, TURN_POINTS

MODELS: tuple[type[Model], ...] = (
    PaymentIntent,
    PaymentAttempt,
    EventDelivery,
    WebhookDelivery,
    CallbackProcessing,
    Refund,
    Dispute,
    ConnectedAccount,
    Transfer,
    TransferReversal,
    ApprovalRequest,
    InboundReceipt,
    Hold,
    Job,
)
NOT_YET = {
    "PaymentIntent:ask_on_page:PROCESSING": "no payer of this world has saved a card",
    "PaymentIntent:expire:EXPIRED": "hardly anybody waits a day within a seed",
    "PaymentAttempt:require_action:ACTION_REQUIRED": "no rail of this world asks the payer twice",
    "PaymentAttempt:accept:PENDING": "every rail that exists answers with what the payer must do",
    "ApprovalRequest:advance:PENDING": "the rule has one step",
    "ApprovalRequest:amend:PENDING": "a refund that waits is not edited",
    "ApprovalRequest:expire:EXPIRED": "nobody waits for days within a seed",
    "ApprovalRequest:withdraw:WITHDRAWN": "the partner does not take a refund back",
    "CallbackProcessing:set_aside:UNMATCHED": "the simulator pays a prompt once",
    "InboundReceipt:retract:RETRACTED": "hardly any payment is booked without its receipt while a list names no reference",
    "InboundReceipt:take_back:TAKEN_BACK": "hardly any dispute takes money that is nobody's",
    "InboundReceipt:wait_again:SUSPENSE": "hardly any dispute that took money which is nobody's is won by an appeal",
    "ConnectedAccount:fail:FAILED": "the provider of this world refuses no account",
    "PaymentIntent:follow:PROCESSING": "every rail that exists answers with what the payer must do",
    "Job:fail:FAILED": "hardly any job is cut off five times",
    "EventDelivery:fail:DEAD": "twenty failures of a handler do not happen to a healthy handler",
    "EventDelivery:requeue:PENDING": "needs a dead delivery",
    "EventDelivery:skip:SKIPPED": "needs a dead delivery",
    "WebhookDelivery:fail:EXHAUSTED": "the partner's server comes back within the ladder",
    "WebhookDelivery:cancel:CANCELLED": "the partner keeps his endpoint",
}
"""State transitions that no action of this form reaches, and why; the rest must be hit."""


REFUSALS = ("HoldEnded", "HoldExpired", "HoldExceeded", "LimitExceeded", "PeriodClosed")
"""What the ledger must have refused to finance."""

RARE_CLAIMS = {
    Claim.HELD: "hardly anybody mistypes a code, pays, and holds the receipt against the payment that he meant, within a seed",
    Claim.PAID: "hardly anybody holds a receipt against a payment that was paid since its link was made, within a seed",
}
"""What becomes of few receipts that are held against a payment, and why; the rest must be hit."""

NOT_SCRIPTED = {
    "statement_omit": "the provider's own statement is what all is held against: a row that it lacks is no finding of ours",
    "statement_extra": "the same: nobody paid a row that nothing caused",
    "xml_bomb": "only sources of exchange rates answer with XML, and this world asks none",
}
"""Faults of the simulator that no script of this world orders, and why; the rest must be ordered by one."""

NOT_PLAYED = {
    "GrantChange": "the world's applications keep what they were granted",
    "Invite": "the world's applications are linked before it starts",
    "LinkRequest": "the world's applications are linked before it starts",
    "ListedMovement": "whatever the lists of this world show is of what it knows",
    "OrganisationRequest": "the world has the organisations that it needs",
    "SavedMethod": "no payer of this world has saved a card",
    "RegisteredApplication": "the world's applications are linked before it starts",
    "WebhookEndpoint": "the partner keeps his endpoint as it is",
}
"""State machines that no action touches, and why."""


def wanted() -> list[str]:
    """Return every action, fault and state transition that a run of some length must hit."""
    names = [f"action:{name}" for name in actions.ACTIONS]
    names += [f"crash:{name}" for name in CRASH_POINTS]
    names += [f"turn:{name}" for name in TURN_POINTS] + ["turn:blocked"]
    names += [f"network:{name}" for name in (*NETWORK_FAULTS, "callback_before_response")]
    names += sorted({f"script:{street.name_of(script)}" for _, script in street.SCRIPTS})
    names += sorted({f"card script:{street.name_of(script)}" for _, script in cards.SCRIPTS})
    names += sorted({f"wallet script:{street.name_of(script)}" for _, script in wallets.SCRIPTS})
    names += sorted({f"transfer script:{street.name_of(script)}" for _, script in transferring.SCRIPTS})
    names += ["evidence:asked a day later", "evidence:dispute asked about"]
    names += ["confirmed again", "pay page:a picture", "pay page:no picture"]
    names += [f"pay page:claim {claim}" for claim in Claim if claim not in RARE_CLAIMS]
    names += ["prompt paid:paybill", "prompt paid:till"]
    names += [f"evidence:dispute listed at {rail.face}" for rail in RAILS]
    names += [f"appeal:{end}" for end in ("won", "lost", "looked at", "refused", "dropped")]
    names += sorted({f"appeal script:{street.name_of(script)}" for _, script in wallets.APPEALS})
    names += [f"dispute {end}:{rail.face}" for rail in RAILS for end in ("won", "lost", "closed")]
    names += [f"{place}:{fate}" for place in ("broker", "wire") for fate in ("lost", "duplicated")]
    names += [f"terms:{policy}" for policy in (*LateMoney, "parts", "no parts")]
    names += [f"part:{kind}" for kind in ("two at once", "beside a prompt", *part_truths.KINDS)]
    names += ["refund:of a named part"]
    names += ["review:accepted", "review:closed", "bulk:stopped", "evidence:given back late"]
    names += ["wire:reordered", "evidence:matched", "evidence:unmatched"]
    names += ["close:month", "close:year", "late:moved", *(f"refused:{name}" for name in REFUSALS)]
    names += [name for model in MODELS for name in transitions(model) if name not in NOT_YET]
    return list(dict.fromkeys(names))


def ordered() -> set[str]:
    """Return every fault of the simulator that a script of this world orders."""
    every = (street.SCRIPTS, cards.SCRIPTS, wallets.SCRIPTS, wallets.APPEALS, transferring.SCRIPTS)
    return {
        action if isinstance(action, str) else str(action["action"])
        for scripts in every
        for _, orders in scripts
        for action in orders
    }


def record(hits: Counter[str], instance: Model, name: str, target: str) -> None:
    """Count a state transition that was made."""
    hits[f"{type(instance).__name__}:{name}:{target}"] += 1


def table(hits: Counter[str]) -> str:
    """Write the counts, what was never hit first."""
    names = wanted()
    width = max(len(name) for name in names)
    lines = [
        f"  {name:<{width}} {hits[name]:>8}"
        for name in sorted(names, key=lambda name: (hits[name] > 0, name))
    ]
    return "\n".join(lines)


def missed(hits: Counter[str]) -> list[str]:
    """Return what was never hit."""
    return [name for name in wanted() if not hits[name]]


def transitions(model: type[Model]) -> Iterator[str]:
    """Return the transitions of a model as ``Model:method:TARGET``."""
    for field in model._meta.concrete_fields:
        find = getattr(field, "get_all_transitions", None)
        for found in find(model) if find else ():
            targets = getattr(found.target, "allowed_states", None) or [found.target]
            yield from sorted({f"{model.__name__}:{found.name}:{target}" for target in targets})
