"""What the product asks of a payment provider: one small port per capability, and three errors that say what to do next."""

from apps.integrations.ports.balances import BalancePort, BalanceReport, NamedBalance
from apps.integrations.ports.captures import CapturePort
from apps.integrations.ports.collections import (
    CollectionPort,
    CollectionReport,
    CollectionRequest,
    NextAction,
    NextActionKind,
    Outcome,
    Ticket,
)
from apps.integrations.ports.connections import ConnectionPort
from apps.integrations.ports.disputes import DisputePort, DisputeReport, DisputeStage, Evidence, EvidenceFile
from apps.integrations.ports.inbound import (
    InboundCheck,
    InboundPort,
    InboundReport,
    Payer,
    PayerKind,
    QrPort,
    Registration,
)
from apps.integrations.ports.line import Token, TokenStore, Transport
from apps.integrations.ports.methods import MethodPort, MethodStatus, SavedMethodReport, SetupRequest
from apps.integrations.ports.movements import (
    StatementPage,
    StatementPort,
    StatementRow,
    StatusPort,
    StatusRequest,
    Window,
)
from apps.integrations.ports.rates import RatePort, RateRow, RateSheet
from apps.integrations.ports.refunds import (
    RefundOutcome,
    RefundPort,
    RefundQueryPort,
    RefundReport,
    RefundRequest,
    RefundSearchPort,
    RefundTerms,
)
from apps.integrations.ports.refusals import (
    HELD_BACK,
    ForgedCallback,
    MalformedCallback,
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
    ProviderUnavailable,
    ProviderUncertain,
)
from apps.integrations.ports.webhooks import Nudge, NudgeKind, RawWebhook, WebhookPort

__all__ = [
    "HELD_BACK",
    "BalancePort",
    "BalanceReport",
    "CapturePort",
    "CollectionPort",
    "CollectionReport",
    "CollectionRequest",
    "ConnectionPort",
    "DisputePort",
    "DisputeReport",
    "DisputeStage",
    "Evidence",
    "EvidenceFile",
    "ForgedCallback",
    "InboundCheck",
    "InboundPort",
    "InboundReport",
    "MalformedCallback",
    "MethodPort",
    "MethodStatus",
    "NamedBalance",
    "NextAction",
    "NextActionKind",
    "Nudge",
    "NudgeKind",
    "Outcome",
    "Payer",
    "PayerKind",
    "ProviderDeclined",
    "ProviderError",
    "ProviderHeldBack",
    "ProviderUnavailable",
    "ProviderUncertain",
    "QrPort",
    "RatePort",
    "RateRow",
    "RateSheet",
    "RawWebhook",
    "RefundOutcome",
    "RefundPort",
    "RefundQueryPort",
    "RefundReport",
    "RefundRequest",
    "RefundSearchPort",
    "RefundTerms",
    "Registration",
    "SavedMethodReport",
    "SetupRequest",
    "StatementPage",
    "StatementPort",
    "StatementRow",
    "StatusPort",
    "StatusRequest",
    "Ticket",
    "Token",
    "TokenStore",
    "Transport",
    "WebhookPort",
    "Window",
]
