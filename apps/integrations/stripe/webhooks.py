"""Signed messages of Stripe: proven by their signature and its time, and read only for what to look at again."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.integrations.ports import ForgedCallback, MalformedCallback, Nudge, NudgeKind, RawWebhook
from apps.integrations.stripe import answers
from apps.kit import http

HEADER = "stripe-signature"
SCHEME = "v1"
TOLERANCE = 300
"""Seconds by which the time of a signature may differ from ours, in either direction."""
KINDS: tuple[tuple[str, NudgeKind], ...] = (
    ("checkout.session.", NudgeKind.COLLECTION),
    ("payment_intent.", NudgeKind.COLLECTION),
    ("charge.dispute.", NudgeKind.DISPUTE),
    ("charge.refund.", NudgeKind.REFUND),
    ("charge.", NudgeKind.COLLECTION),
    ("refund.", NudgeKind.REFUND),
    ("setup_intent.", NudgeKind.METHOD),
    ("payment_method.", NudgeKind.METHOD),
    ("account.", NudgeKind.PARTNER),
    ("transfer.", NudgeKind.PARTNER),
)
"""By the beginning of a message's type; the first that fits."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """
    The messages of one account, and those about accounts that are connected to it, which name these. ``secrets`` are the present
    one of its endpoint, while it is being replaced the one before, and that of the endpoint for connected accounts. ``is_live`` says whether its money is real: a message of the other world is not for it.
    """

    account: str
    is_live: bool
    secrets: tuple[str, ...] = field(repr=False)

    def read(self, raw: RawWebhook) -> Nudge:
        self._prove(raw)
        event = _object(raw.body)
        event_id, type_ = answers.text(event.get("id")), answers.text(event.get("type"))
        if not event_id or not type_ or event.get("object") != "event":
            raise MalformedCallback("This is no event.")
        if event.get("livemode") is not self.is_live:
            raise ForgedCallback(
                "The event is of live money where the account's is not, or the other way about."
            )
        about = answers.part(answers.part(event, "data"), "object")
        whose = answers.text(event.get("account"))
        code = answers.text(answers.part(about, "metadata").get("code"))
        if whose and whose != self.account:
            is_partner = type_.startswith("account.")
            kind = NudgeKind.PARTNER if is_partner else NudgeKind.NONE
            return Nudge(event_id, kind, ticket=whose, code=code if is_partner else "", type=type_)
        kind = NudgeKind.NONE if about.get("id") == self.account else _kind(type_, about)
        ticket = "" if kind is NudgeKind.NONE else _ticket(type_, about)
        if kind is not NudgeKind.NONE and not ticket and not code:
            raise MalformedCallback(f"An event of the type {type_} names no object.")
        return Nudge(event_id, kind, ticket=ticket, code=code, type=type_)

    def _prove(self, raw: RawWebhook) -> None:
        at, given = _signatures(raw.headers.get(HEADER, ""))
        if abs(raw.received_at.timestamp() - at) > TOLERANCE:
            raise ForgedCallback("The signature is of another time.")
        signed = b"%d." % at + raw.body
        wanted = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in self.secrets]
        if not any(hmac.compare_digest(one.encode(), own.encode()) for one in given for own in wanted):
            raise ForgedCallback("No signature fits.")


def _signatures(header: str) -> tuple[int, list[str]]:
    """Return the time and the signatures of our scheme; raise ForgedCallback where there is none."""
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in pairs if name == "t"]
    given = [value for name, value in pairs if name == SCHEME]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12 or not given:  # noqa: PLR2004 (digits of a time)
        raise ForgedCallback("The message is not signed.")
    return int(times[0]), given


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = http.parse_json(body)
    except (ValueError, RecursionError) as error:
        raise MalformedCallback("The body is no JSON.") from error
    if not isinstance(parsed, Mapping):
        raise MalformedCallback("The body is no JSON object.")
    return parsed


def _kind(type_: str, about: Mapping[str, Any]) -> NudgeKind:
    if about.get("object") == "checkout.session" and about.get("mode") == "setup":
        return NudgeKind.METHOD
    return next((kind for beginning, kind in KINDS if type_.startswith(beginning)), NudgeKind.NONE)


def _ticket(type_: str, about: Mapping[str, Any]) -> str:
    """Return the handle to ask after; a charge is asked after by its payment."""
    if type_.startswith("charge.") and about.get("object") == "charge":
        return answers.handle(about.get("payment_intent"))
    return answers.text(about.get("id"))
