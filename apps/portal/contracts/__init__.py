"""What the portal's selectors hand to its pages: facts ready to be drawn, no rows of other apps."""

from apps.portal.contracts.money import (
    BalanceLine,
    CashPosition,
    DayFlow,
    Footing,
    HeldLine,
    Part,
    Proof,
    Waiting,
)
from apps.portal.contracts.payments import (
    Arrival,
    DeliveryDetail,
    DeliveryLine,
    EventLine,
    EvidenceLine,
    EvidenceQueue,
    InboxLine,
    PaymentFacts,
    PaymentTimeline,
    ReceiptFacts,
)
from apps.portal.contracts.pieces import Badge, Booking, EntryLine, Fact, Raw, Step, Target, Tone
from apps.portal.contracts.work import JobPage, JobResult, ViewWanted

__all__ = [
    "Arrival",
    "Badge",
    "BalanceLine",
    "Booking",
    "CashPosition",
    "DayFlow",
    "DeliveryDetail",
    "DeliveryLine",
    "EntryLine",
    "EventLine",
    "EvidenceLine",
    "EvidenceQueue",
    "Fact",
    "Footing",
    "HeldLine",
    "InboxLine",
    "JobPage",
    "JobResult",
    "Part",
    "PaymentFacts",
    "PaymentTimeline",
    "Proof",
    "Raw",
    "ReceiptFacts",
    "Step",
    "Target",
    "Tone",
    "ViewWanted",
    "Waiting",
]
