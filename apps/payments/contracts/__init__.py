"""What crosses the border of payments: states, methods, the request for a new intent, facts for a timeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.approvals.contracts import declare_kind
from apps.integrations.contracts import by_method
from apps.kit.money import Money

REFUND = declare_kind(
    name="refund", title=_("Refund"), permission="payments.refund", page="admin:payments_refund_change"
)
"""Giving money back to a payer, as approval rules call it."""

ROUTING_RULE = declare_kind(name="routing_rule", title=_("Routing rule"), permission="integrations.manage")
"""Another rule of which payments go through which accounts, as approval rules call it."""

RESOLVE = "payments.resolve"
"""What a person needs who decides about money in suspense, and so may look after it."""

DISPUTE_ACCEPTANCE = declare_kind(
    name="dispute_acceptance",
    title=_("Acceptance of a dispute"),
    permission="payments.dispute",
    page="portal-dispute",
)
"""Giving up the money of a dispute, as approval rules call it."""

ANSWER_DISPUTE = "payments.dispute"
"""What a person needs who answers disputes, and so may look after one."""

NO_METADATA: Mapping[str, str] = MappingProxyType({})


NAMED = ("MPESA", "CARD", "PAYPAL")
DECLARED = {method: method for method in by_method() if method not in NAMED}


class Method(StrEnum):
    """How a payer pays; in lower case on the wire. Those that code speaks of stand here, each other one is its provider's to declare."""

    MPESA = "MPESA"
    CARD = "CARD"
    PAYPAL = "PAYPAL"
    locals().update(DECLARED)

    @property
    def provider(self) -> str:
        """The provider whose accounts collect by this method."""
        return RAILS[self].provider

    @property
    def is_on_page(self) -> bool:
        """Whether the payer is sent to a page of the provider's; else he is asked on his phone."""
        return RAILS[self].is_on_page


@dataclass(frozen=True, slots=True)
class Rail:
    """Who collects by a method, how people call it, and whether a page of the provider's asks the payer, or his phone."""

    provider: str
    name: str | Promise
    is_on_page: bool = True


RAILS: dict[Method, Rail] = {
    Method(method): Rail(one.slug, one.method_name or one.name, one.is_on_page)
    for method, one in by_method().items()
}
METHODS: dict[str, Method] = {rail.provider: method for method, rail in RAILS.items()}
"""By which method the accounts of a provider collect."""


class IntentStatus(StrEnum):
    REQUIRES_METHOD = "REQUIRES_METHOD"
    REQUIRES_CONFIRMATION = "REQUIRES_CONFIRMATION"
    PROCESSING = "PROCESSING"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    REQUIRES_CAPTURE = "REQUIRES_CAPTURE"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    IN_REVIEW = "IN_REVIEW"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class AttemptStatus(StrEnum):
    SENDING = "SENDING"
    PENDING = "PENDING"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    AUTHORIZED = "AUTHORIZED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    MISMATCH = "MISMATCH"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class RefundStatus(StrEnum):
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    REQUESTED = "REQUESTED"
    SENDING = "SENDING"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class DisputeStatus(StrEnum):
    """
    How far a payment that its payer disputes has come.

    INQUIRY: a question that moves no money yet. SUBMITTED: our answer is final and the provider has not confirmed it. ACCEPTED: we
    gave it up. EXPIRED: it was not answered in time and is lost. PREVENTED: it was settled before it began. The last five are
    ends, which only the provider takes back: on appeal, or where an inquiry becomes a chargeback.
    """

    INQUIRY = "INQUIRY"
    NEEDS_RESPONSE = "NEEDS_RESPONSE"
    SUBMITTED = "SUBMITTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    WON = "WON"
    LOST = "LOST"
    ACCEPTED = "ACCEPTED"
    EXPIRED = "EXPIRED"
    PREVENTED = "PREVENTED"


class DisputeAnswer(StrEnum):
    """What we say to a dispute: that it is wrong, that we give it up, or that its loss is wrong."""

    EVIDENCE = "EVIDENCE"
    ACCEPTANCE = "ACCEPTANCE"
    APPEAL = "APPEAL"


class EvidencePurpose(StrEnum):
    """What a file proves in a dispute; one file for each."""

    RECEIPT = "RECEIPT"
    SHIPPING = "SHIPPING"
    SERVICE = "SERVICE"
    COMMUNICATION = "COMMUNICATION"
    SIGNATURE = "SIGNATURE"
    REFUND_POLICY = "REFUND_POLICY"
    DUPLICATE = "DUPLICATE"
    OTHER = "OTHER"


class DisputeFlag(StrEnum):
    """
    Why a person must look at a dispute: of no payment that is known, of more than is left of it, of another currency, or its
    provider tells now of less money moved than before.
    """

    UNKNOWN_PAYMENT = "UNKNOWN_PAYMENT"
    EXCEEDS_PAYMENT = "EXCEEDS_PAYMENT"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    TOLD_LESS = "TOLD_LESS"


class InboundStatus(StrEnum):
    """
    Where money that arrived stands: with the payment that it is of, or in suspense until a person decides.

    UNCONFIRMED is so large that the provider is asked before it is believed: it is booked nowhere yet. MATCHED was found to be of a payment, ASSIGNED was given to one by a person. DUPLICATE_SUSPECTED waits as SUSPENSE
    does: somebody may have paid twice. GIVING_BACK goes back to who sent it: its refund says how far that is. RETRACTED had been booked a second time, which was taken back.
    TAKEN_BACK: a dispute that was lost took it, and nothing of it is left to decide.
    """

    UNCONFIRMED = "UNCONFIRMED"
    MATCHED = "MATCHED"
    SUSPENSE = "SUSPENSE"
    DUPLICATE_SUSPECTED = "DUPLICATE_SUSPECTED"
    ASSIGNED = "ASSIGNED"
    GIVING_BACK = "GIVING_BACK"
    RETRACTED = "RETRACTED"
    TAKEN_BACK = "TAKEN_BACK"


class InboundSource(StrEnum):
    """Who told of money that arrived."""

    CONFIRMATION = "CONFIRMATION"
    PULL = "PULL"
    ATTEMPT = "ATTEMPT"


SOURCE_NAMES: dict[InboundSource, Promise] = {
    InboundSource.CONFIRMATION: _("Message of the provider"),
    InboundSource.PULL: _("The provider's list of movements"),
    InboundSource.ATTEMPT: _("The answer to a request of ours"),
}


class Doubt(StrEnum):
    """Why people should look at a payment, whatever state it is in."""

    STUCK = "stuck"
    DOUBLED = "doubled"
    UNPOSTED = "unposted"


DOUBTS: dict[Doubt, Promise] = {
    Doubt.STUCK: _("Stuck over 10 minutes"),
    Doubt.DOUBLED: _("Paid twice"),
    Doubt.UNPOSTED: _("Not posted"),
}


TODAY = "today"
CLOSED: dict[str, Promise] = {TODAY: _("Today")}
"""When a payment ended without money, as lists are asked for it."""


class LateMoney(StrEnum):
    """What becomes of money that comes after its payment was closed: it pays, goes back, or waits for a person."""

    ACCEPT = "ACCEPT"
    REFUND = "REFUND"
    SUSPENSE = "SUSPENSE"


LATE_MONEY: dict[LateMoney, Promise] = {
    LateMoney.ACCEPT: _("It pays the payment after all"),
    LateMoney.REFUND: _("It goes back to the payer"),
    LateMoney.SUSPENSE: _("It waits in suspense for a person"),
}


REPEATED_WITHIN_HOURS_MAX = 30 * 24


@dataclass(frozen=True, slots=True)
class CollectionTerms:
    """
    What an organisation chooses about money that comes otherwise than asked.

    ``refuses_unknown`` and ``refuses_other_sums`` hold where a provider asks before it takes the money: a payment that
    nobody knows or that waits no longer, and another sum than was asked for. Where it ``takes_parts``, less than is due that comes
    unasked under a payment's own code pays a part of it, and more of it may follow. The same sum under the same reference, of whom
    may be the same payer, is suspected to be paid twice ``repeated_within_hours``.
    """

    late_money: LateMoney = LateMoney.ACCEPT
    refuses_unknown: bool = False
    refuses_other_sums: bool = False
    takes_parts: bool = False
    repeated_within_hours: int = 24


class Recorded(StrEnum):
    """What a provider's report changed."""

    APPLIED = "APPLIED"
    DUPLICATE = "DUPLICATE"
    IGNORED = "IGNORED"


@dataclass(frozen=True, slots=True)
class Choice:
    """
    How and from whom: ``phone`` may be written as people write it in Kenya. A rail that asks on its own page needs none;
    there ``email`` saves the payer some typing. ``saved_method_id`` is a way to pay that he lets us keep: it is charged without
    him, as far as he agreed. ``others`` are methods that do as well, in their order after ``method``: routing chooses among all
    of them; a saved method goes with none.
    """

    method: Method
    phone: str = ""
    payer_name: str = ""
    email: str = ""
    saved_method_id: UUID | None = None
    others: tuple[Method, ...] = ()

    @property
    def methods(self) -> tuple[Method, ...]:
        """All methods by which the payer may be asked, the preferred one first."""
        return self.method, *self.others


@dataclass(frozen=True, slots=True)
class NewIntent:
    """
    Ask for one sum. Without a choice the intent waits for one and ``is_confirmed`` must be false.

    ``payable_type`` and ``payable_id`` name what is paid, both or neither: it has one payment at a time. Where
    ``is_repeat_refused``, the same sum of the same payer within two minutes is taken for a mistake. Where ``is_captured``
    is false, the sum is only held back when the payer agrees, until somebody captures it.
    """

    money: Money
    branch_id: UUID
    application_id: UUID
    choice: Choice | None = None
    reference: str = ""
    payable_type: str = ""
    payable_id: str = ""
    is_repeat_refused: bool = False
    description: str = ""
    metadata: Mapping[str, str] = field(default=NO_METADATA)
    is_confirmed: bool = True
    is_captured: bool = True


@dataclass(frozen=True, slots=True)
class TimelineFact:
    """One dated fact of an intent or of one of its attempts (``attempt_number`` 0: of the intent), oldest first."""

    at: datetime
    kind: str
    attempt_number: int = 0
    detail: str = ""


class RoutingStrategy(StrEnum):
    """How a rule uses its accounts: the first that can, or each for its share of the payments."""

    PRIORITY = "PRIORITY"
    SPLIT = "SPLIT"


ROUTING_STRATEGIES: dict[RoutingStrategy, Promise] = {
    RoutingStrategy.PRIORITY: _("The first that can take it"),
    RoutingStrategy.SPLIT: _("Each for its share"),
}


class DropReason(StrEnum):
    """Why a payment did not go through an account that might have taken it."""

    UNAVAILABLE = "UNAVAILABLE"
    AMOUNT = "AMOUNT"
    ENVIRONMENT = "ENVIRONMENT"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    CONFIGURATION = "CONFIGURATION"
    TRIED = "TRIED"


DROP_REASONS: dict[DropReason, Promise] = {
    DropReason.UNAVAILABLE: _("does not serve it: closed, of another branch, currency or method"),
    DropReason.AMOUNT: _("the sum is outside its limits"),
    DropReason.ENVIRONMENT: _("it belongs to another environment"),
    DropReason.CIRCUIT_OPEN: _("its provider failed again and again, or somebody stopped it"),
    DropReason.CONFIGURATION: _("it was not set up right a moment ago"),
    DropReason.TRIED: _("it had failed just before"),
}


class RoutingAction(StrEnum):
    """What a change of the routing rules does."""

    CREATE = "create"
    REPLACE = "replace"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class NewRoutingTarget:
    """An account that a rule sends payments through; ``weight`` is its share where the rule splits, else None."""

    account_id: UUID
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class NewRoutingRule:
    """
    Which payments go through which accounts; what is empty or None fits every payment.

    The band is ``minimum_minor`` up to but not including ``maximum_minor``, in ``currency``. ``weekdays`` are digits, 1
    for Monday; ``from_time`` up to but not including ``to_time`` in the organisation's zone, over midnight where it is the later
    one. Rules of a branch are asked before the organisation's, each in the order of ``position``; the first that fits decides.
    """

    name: str
    position: int
    targets: tuple[NewRoutingTarget, ...]
    strategy: RoutingStrategy = RoutingStrategy.PRIORITY
    branch_id: UUID | None = None
    application_id: UUID | None = None
    method: Method | None = None
    currency: str = ""
    minimum_minor: int | None = None
    maximum_minor: int | None = None
    weekdays: str = ""
    from_time: time | None = None
    to_time: time | None = None
