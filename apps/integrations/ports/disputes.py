"""Payments that a payer has his bank take back: what a provider says of them, and what it is told."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from apps.kit.money import Money


class DisputeStage(StrEnum):
    """
    How far a dispute has come. INQUIRY: a question that moves no money yet; EXPIRED: it was not answered in time and is
    lost; PREVENTED: it was settled before it began. The last five are final, save that a lost one may be won on appeal.
    """

    INQUIRY = "INQUIRY"
    NEEDS_RESPONSE = "NEEDS_RESPONSE"
    UNDER_REVIEW = "UNDER_REVIEW"
    WON = "WON"
    LOST = "LOST"
    ACCEPTED = "ACCEPTED"
    EXPIRED = "EXPIRED"
    PREVENTED = "PREVENTED"


@dataclass(frozen=True, slots=True)
class DisputeReport:
    """
    What a provider says of a dispute; what it does not tell is None or empty.

    ``payment_ticket`` and ``receipt`` are those of the collection. ``reason_code`` is ours, ``provider_reason`` theirs.
    ``money`` is what is disputed, ``fee`` what the provider took for it and did not give back. ``withdrawn`` is what left our balance for it so far,
    ``reinstated`` what came back; both without the fee. ``due_by`` is when evidence must have come; ``outcome`` the
    provider's word for its end. ``question`` is its word for the step that a dispute has come to: what is asked at another step is
    another question, which an answer to the one before does not answer. ``may_appeal``: it was lost, and the provider takes an appeal
    against that by AppealPort.
    """

    ticket: str
    payment_ticket: str
    receipt: str
    stage: DisputeStage
    reason_code: str
    provider_reason: str
    money: Money
    fee: Money | None = None
    withdrawn: Money | None = None
    reinstated: Money | None = None
    due_by: datetime | None = None
    outcome: str = ""
    opened_at: datetime | None = None
    question: str = ""
    may_appeal: bool = False


@dataclass(frozen=True, slots=True)
class DisputeList:
    """
    The disputes of a list that could be read, the oldest first.

    ``unreadable`` counts the others: what the provider said of them is in the records of the calls.
    """

    reports: tuple[DisputeReport, ...]
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A document that is handed to the provider; ``purpose`` is the Evidence field that it proves (``receipt``)."""

    purpose: str
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """What we say of a disputed payment; what is empty is not said."""

    text: str = ""
    product: str = ""
    customer_name: str = ""
    customer_email: str = ""
    customer_ip: str = ""
    billing_address: str = ""
    service_date: date | None = None
    shipping_address: str = ""
    shipping_date: date | None = None
    carrier: str = ""
    tracking_number: str = ""
    refund_policy: str = ""
    refund_refusal: str = ""
    refund_receipt: str = ""
    duplicate_of: str = ""
    files: tuple[EvidenceFile, ...] = ()


class DisputePort(Protocol):
    """
    Read disputes and answer them. Errors are those of CollectionPort; reading moves nothing and may be repeated.

    ``submit`` and ``accept`` are final at the provider and carry ``code``, ours, by which it knows a repeated order.
    """

    def read(self, ticket: str) -> DisputeReport: ...

    def list(self, since: datetime) -> DisputeList:
        """Return the disputes that were opened since then; one that cannot be read keeps no other away."""

    def submit(self, ticket: str, evidence: Evidence, *, code: str) -> DisputeReport: ...

    def accept(self, ticket: str, *, code: str) -> DisputeReport: ...


class AppealPort(Protocol):
    """
    Appeal against the loss of a dispute. Errors are those of CollectionPort.

    It is final at the provider and carries ``code``, ours, by which it knows a repeated appeal. A provider that asks for evidence
    anew, as it did before, needs no such port.
    """

    def appeal(self, ticket: str, evidence: Evidence, *, code: str) -> DisputeReport: ...
