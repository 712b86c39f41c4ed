"""The page of one dispute: how it stands, what is said to it, and everything that happened because of it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors.scope import Principal
from apps.events.selectors import events
from apps.integrations.selectors import exchanges
from apps.kit import ids
from apps.kit.money import Money
from apps.payments.contracts import DisputeAnswer, DisputeFlag, EvidencePurpose
from apps.payments.selectors import disputes
from apps.payments.selectors.disputes import PURPOSES, WORDS
from apps.portal.contracts import (
    Badge,
    Deadline,
    DisputeFacts,
    DisputeLine,
    DisputePage,
    Fact,
    FileLine,
    Step,
    Tone,
    Wanted,
)
from apps.portal.selectors import ledger, states, steps, words

SOURCE = "payment_dispute"
URGENT, SOON = timedelta(days=1), timedelta(days=3)
FLAGS: Mapping[str, Any] = {
    DisputeFlag.UNKNOWN_PAYMENT: gettext_lazy("Nobody here knows the payment that it is about."),
    DisputeFlag.EXCEEDS_PAYMENT: gettext_lazy("More is disputed than is left of the payment."),
    DisputeFlag.OTHER_CURRENCY: gettext_lazy("It is in another currency than the payment."),
    DisputeFlag.TOLD_LESS: gettext_lazy("The provider tells now of less money moved than before."),
}
ALWAYS = ("text", "RECEIPT", "COMMUNICATION")
HELPS: Mapping[str, tuple[str, ...]] = {
    "fraudulent": ("customer_name", "customer_email", "customer_ip", "billing_address", "SIGNATURE"),
    "unrecognized": ("product", "customer_name", "customer_email", "billing_address"),
    "not_received": (
        "shipping_address",
        "shipping_date",
        "carrier",
        "tracking_number",
        "SHIPPING",
        "SERVICE",
    ),
    "not_as_described": ("product", "SERVICE", "refund_policy", "REFUND_POLICY"),
    "duplicate": ("duplicate_of", "DUPLICATE"),
    "credit_not_processed": ("refund_policy", "refund_refusal", "REFUND_POLICY"),
    "subscription_cancelled": ("refund_policy", "REFUND_POLICY", "service_date"),
}
"""What helps against each reason, beside what always does: texts by their name, files by what they prove."""
TOLD: Mapping[str, tuple[Tone, str, Any]] = {
    "payment_dispute_opened": (Tone.HELD, "gavel", gettext_lazy("The payer disputes the payment")),
    "payment_dispute_funds_withdrawn": (Tone.FAILED, "remove_circle", gettext_lazy("The money was taken")),
    "payment_dispute_funds_reinstated": (Tone.DONE, "add_circle", gettext_lazy("The money came back")),
    "payment_dispute_due_soon": (Tone.HELD, "alarm", gettext_lazy("The answer is due soon")),
    "payment_dispute_won": (Tone.DONE, "check_circle", gettext_lazy("Won")),
    "payment_dispute_lost": (Tone.FAILED, "cancel", gettext_lazy("Lost")),
    "payment_dispute_closed": (Tone.QUIET, "block", gettext_lazy("Settled before it took any money")),
}


def page(dispute_id: UUID, caller: Principal, *, permissions: Collection[str], now: datetime) -> DisputePage:
    """
    Return a dispute of the caller's branches; raise NotFound for any other. Entries only with ``ledger.view``, what was
    sent and answered only with ``integrations.view``.
    """
    row = disputes.get(caller, dispute_id)
    files = tuple(_file(kept) for kept in disputes.files(row.id))
    called = exchanges.calls_of([row.id])
    calls = steps.of_questions(called, may_see_raw="integrations.view" in permissions)
    return DisputePage(
        dispute=_facts(row, now=now),
        wanted=_wanted(row) if row.is_answerable else (),
        texts=tuple(
            Fact(str(word), row.evidence[name]) for name, word in WORDS.items() if name in row.evidence
        ),
        files=files,
        steps=steps.folded([*of_disputes([row]), *calls]),
        bookings=ledger.of_source(SOURCE, row.id, caller) if "ledger.view" in permissions else (),
        identifiers=(
            Fact(_("Dispute"), ids.encode(disputes.PREFIX, row.id)),
            Fact(_("At the provider"), row.ticket),
            *([Fact(_("Receipt"), row.payment_receipt)] if row.payment_receipt else []),
        ),
    )


def lines(rows: Iterable[Any]) -> tuple[DisputeLine, ...]:
    """Return the disputes of a payment as its page names them."""
    return tuple(DisputeLine(row.id, row.ticket, row.money, _badge(row)) for row in rows)


def _badge(row: Any) -> Badge:
    return states.APPEALING if row.is_appealing else states.DISPUTE[row.status]


def of_disputes(rows: Iterable[Any]) -> list[Step]:
    """Return what has been told of disputes, as steps."""
    published = events.of_aggregates([row.id for row in rows])
    return [_step(event) for event in published]


def _step(event: Any) -> Step:
    told = event.data["object"]
    rank = steps.RANKS["disputed"]
    if event.type not in TOLD:
        badge = states.APPEALING if told["is_appealing"] else states.DISPUTE[told["status"].upper()]
        return Step(event.occurred_at, badge.tone, badge.icon, str(badge.word), rank=rank)
    tone, icon, title = TOLD[event.type]
    moved = {"funds_withdrawn": "withdrawn", "funds_reinstated": "reinstated"}
    key = moved.get(event.type.removeprefix("payment_dispute_"), "amount")
    sum_ = told[key] or told["amount"]
    money = Money.parse(sum_["amount"], sum_["currency"])
    text = f"{money}, {told['provider_dispute']}."
    return Step(event.occurred_at, tone, icon, str(title), text, rank=rank)


def _facts(row: Any, *, now: datetime) -> DisputeFacts:
    return DisputeFacts(
        id=row.id,
        ticket=row.ticket,
        badge=_badge(row),
        money=row.money,
        reason=disputes.reason(row),
        provider=words.rail(row.provider),
        provider_account=str(row.provider_account),
        branch=row.branch.name,
        owner=row.owner.user.name if row.owner else "",
        payment_id=row.intent_id,
        payment=row.payment_receipt,
        flag=str(FLAGS.get(row.flag, "")),
        refusal=row.answer_refusal if row.is_unanswered or row.is_lost else "",
        is_appeal_dropped=row.is_lost and row.answer == DisputeAnswer.APPEAL and bool(row.answer_refusal),
        is_inquiry=row.is_inquiry,
        is_appealable=row.is_appealable,
        is_appealing=row.is_appealing,
        is_waiting_for_approval=row.approval_id is not None,
        deadline=_deadline(row, now=now),
        withdrawn=row.withdrawn if row.withdrawn_minor else None,
        fee=row.fee if row.fee_minor else None,
        reinstated=row.reinstated if row.reinstated_minor else None,
        lost=row.lost if row.lost_minor else None,
    )


def _deadline(row: Any, *, now: datetime) -> Deadline | None:
    if row.due_by is None or not row.is_unanswered:
        return None
    left = row.due_by - now
    tone = Tone.FAILED if left < URGENT else Tone.HELD if left < SOON else Tone.PENDING
    return Deadline(row.due_by, words.elapsed(now, row.due_by) if left > timedelta(0) else "", tone)


def _wanted(row: Any) -> tuple[Wanted, ...]:
    kept = {file.purpose for file in disputes.files(row.id)}
    names = dict.fromkeys((*HELPS.get(row.reason_code, ()), *ALWAYS))
    return tuple(
        Wanted(str(PURPOSES[EvidencePurpose(name)]), name in kept)
        if name.isupper()
        else Wanted(str(WORDS[name]), name in row.evidence)
        for name in names
    )


def _file(file: Any) -> FileLine:
    what = str(PURPOSES[EvidencePurpose(file.purpose)])
    return FileLine(file.id, file.name, what, file.size, file.created_at, words.actor(file.created_by))
