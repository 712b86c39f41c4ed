"""The values that pass between the parts of the simulator; money is an integer of cents."""

from dataclasses import dataclass, field
from enum import StrEnum


class AccountType(StrEnum):
    """What a shortcode is sold as."""

    PAYBILL = "paybill"
    TILL = "till"


class PaymentState(StrEnum):
    """Where a payment stands, asked for or not. Only a late success leaves FAILED, nothing leaves PAID."""

    WAITING = "waiting"
    PAID = "paid"
    FAILED = "failed"


class Environment(StrEnum):
    """Where a shortcode lives: in production addresses are registered once, and payments are not simulated."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class PayerForm(StrEnum):
    """How a shortcode is told the number of who paid it unasked."""

    PLAIN = "plain"
    MASKED = "masked"
    HASHED = "hashed"


class ReversalState(StrEnum):
    """Where a reversal stands. Only a late success leaves FAILED, nothing leaves DONE."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class CallbackState(StrEnum):
    """What became of one callback. It is sent, or handed out, at most once."""

    QUEUED = "queued"
    SENDING = "sending"
    ANSWERED = "answered"
    FAILED = "failed"
    DROPPED = "dropped"
    TAKEN = "taken"


class AnswerKind(StrEnum):
    """What the caller of the Daraja face gets to see."""

    NORMAL = "normal"
    HANG = "hang"
    RESET = "reset"
    SCRIPTED = "scripted"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Account:
    """
    A shortcode of a business, with the credentials that its owner holds.

    ``store`` is the shortcode of the store that a till belongs to: it is told of what the till is paid, and lists it.
    """

    shortcode: str
    type: AccountType
    name: str
    consumer_key: str
    consumer_secret: str
    passkey: str
    initiator: str
    initiator_password: str
    charge_bps: int
    environment: Environment = Environment.SANDBOX
    payer_form: PayerForm = PayerForm.PLAIN
    is_validating: bool = True
    store: str = ""
    balance_cents: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """How the HTTP answer departs from the normal one."""

    kind: AnswerKind = AnswerKind.NORMAL
    is_processed: bool = True
    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    delay_ms: int = 0
    is_token_expired: bool = False
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class StatementExtra:
    """A row that appears in the statement though no prompt caused it."""

    kind: str
    amount_cents: int
    details: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    How a message to a business travels: before the answer to its request or not, how often, how late, behind how many
    later ones, and from which address.

    ``signing`` is for rails that sign: JSON with the ``scheme`` by which each sending is signed anew, and what it needs.
    """

    is_first: bool = False
    is_dropped: bool = False
    count: int = 1
    spacing_ms: int = 0
    delay_ms: int = 0
    behind: int = 0
    source: str = ""
    replay_count: int = 0
    is_badly_signed: bool = False
    signing: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What happens to a payment, and to the messages of any request, without a person.

    ``callback`` is the message that the request is about; a confirmation without a delivery of its own follows it
    where the payment came unasked.
    """

    result_code: str | None = None
    result_after_ms: int = 2_000
    callback: Delivery = Delivery()
    confirmation: Delivery | None = None
    validation: Delivery = Delivery()
    skew_ms: int = 0
    moved_cents: int | None = None
    announced_cents: int | None = None
    late_success_ms: int | None = None
    late_failure_ms: int | None = None
    is_hidden_from_statement: bool = False
    queue_timeout_ms: int | None = None
    is_moved_despite_timeout: bool = False
    missing: tuple[str, ...] | None = ()
    is_single_object: bool = False
    is_container_swapped: bool = False
    extras: tuple[StatementExtra, ...] = ()


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything that a magic number and a script ask for in one call."""

    answer: Answer = field(default_factory=Answer)
    plan: Plan = field(default_factory=Plan)


@dataclass(frozen=True, slots=True)
class PromptOrder:
    """A valid STK push, before it has an identifier."""

    shortcode: str
    receiver: str
    transaction_type: str
    payer: str
    msisdn: str
    amount_cents: int
    reference: str
    description: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request for a PIN on a phone and its outcome; times are virtual milliseconds since 1970."""

    id: str
    merchant_request_id: str
    conversation_id: str
    shortcode: str
    receiver: str
    business_name: str
    transaction_type: str
    payer: str
    msisdn: str
    amount_cents: int
    reference: str
    description: str
    callback_url: str
    plan: Plan
    state: PaymentState
    result_code: str
    result_desc: str
    receipt: str
    moved_cents: int
    charge_cents: int
    is_ignored: bool
    created_at: int
    expires_at: int
    due_at: int | None
    decided_at: int | None


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a shortcode wants to be told of payments that come unasked, and what counts while it does not answer."""

    shortcode: str
    confirmation_url: str
    validation_url: str
    is_refused_by_default: bool


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What a person types at Lipa na M-Pesa: whom to pay, how much, for which account."""

    receiver: str
    payer: str
    amount_cents: int
    reference: str


@dataclass(frozen=True, slots=True)
class Payment:
    """
    Money that a person pays unasked, and its outcome; times are virtual milliseconds since 1970.

    It has its receipt from the start, as the business is asked about it by that.
    """

    receipt: str
    conversation_id: str
    receiver: str
    business_name: str
    transaction_type: str
    payer: str
    amount_cents: int
    reference: str
    plan: Plan
    state: PaymentState
    result_code: str
    result_desc: str
    third_party_id: str
    moved_cents: int
    charge_cents: int
    created_at: int
    due_at: int | None
    decided_at: int | None

    @property
    def id(self) -> str:
        """Name it as a prompt is named."""
        return self.receipt

    @property
    def msisdn(self) -> str:
        """Name the phone that shows what became of it."""
        return self.payer

    @property
    def shortcode(self) -> str:
        """Name whose registered addresses are told of it."""
        return self.receiver


@dataclass(frozen=True, slots=True)
class ReversalOrder:
    """A valid request to give a payment back, before it has an identifier."""

    shortcode: str
    receipt: str
    amount_cents: int
    result_url: str
    timeout_url: str


@dataclass(frozen=True, slots=True)
class Reversal:
    """
    A payment on its way back to the payer, and its outcome; times are virtual milliseconds since 1970.

    ``id`` is the OriginatorConversationID; ``receipt`` is the reversal's own.
    """

    id: str
    conversation_id: str
    shortcode: str
    original_receipt: str
    payer: str
    amount_cents: int
    result_url: str
    timeout_url: str
    plan: Plan
    state: ReversalState
    result_code: str
    receipt: str
    moved_cents: int
    created_at: int
    due_at: int | None
    decided_at: int | None


@dataclass(frozen=True, slots=True)
class Callback:
    """
    One POST that the simulator owes to a business; the cause is the identifier of what it is about.

    ``signing`` is how a rail that signs does it (JSON with a ``scheme``, empty for others); ``headers`` are what it
    comes to when the callback is sent, ``attempt`` counts the repeats of one that was not taken.
    """

    id: int
    cause: str
    kind: str
    url: str
    body: str
    due_at: int
    is_first: bool = False
    behind: int = 0
    source: str = ""
    signing: str = ""
    attempt: int = 0
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One line of a shortcode's statement."""

    receipt: str
    kind: str
    initiated_at: int
    completed_at: int
    details: str
    other_party: str
    reference: str
    paid_in_cents: int
    withdrawn_cents: int
    balance_cents: int
    linked_receipt: str = ""


@dataclass(frozen=True, slots=True)
class RateSheet:
    """What a source of exchange rates publishes: a day, and texts by the source's own name of a currency."""

    day: str
    rates: dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as the faces see it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer, or the way in which none is given."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    kind: AnswerKind = AnswerKind.NORMAL
    delay_ms: int = 0
