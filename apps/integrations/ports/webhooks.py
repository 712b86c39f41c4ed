"""Signed messages of a provider: they are nudges that say what to look at again, and never facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RawWebhook:
    """A message as it came: every byte of it, and its headers under names in lower case."""

    body: bytes
    headers: Mapping[str, str]
    received_at: datetime


class NudgeKind(StrEnum):
    """What a message is about. PARTNER: a connected account, or a transfer to one; NONE: nothing that we ask about."""

    COLLECTION = "COLLECTION"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    METHOD = "METHOD"
    PARTNER = "PARTNER"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Nudge:
    """
    What to look at again.

    ``event_id`` names the message for good, however often it comes. ``ticket`` is the provider's handle of the object:
    what ``CollectionPort.query``, ``RefundQueryPort.query``, ``DisputePort.read`` or ``MethodPort.read`` take; for
    PARTNER the provider's id of the account or of the transfer. ``code`` is ours (of the attempt, the refund, the saved method, the
    connected account, the transfer) where the message carries it. Either may be empty, not both but for NONE. ``type`` is the provider's word, for people.
    """

    event_id: str
    kind: NudgeKind
    ticket: str = ""
    code: str = ""
    type: str = ""


class WebhookPort(Protocol):
    """
    Prove that a message is the provider's, for this account and of now, and say what to look at again.

    ``read`` raises ForgedCallback where the signature, its time or the account named in it is wrong, and
    MalformedCallback for what is no message. It may have to ask the provider (for a certificate): it is called outside
    any transaction, and raises ProviderUnavailable where the proof cannot be had now.
    """

    def read(self, raw: RawWebhook) -> Nudge: ...
