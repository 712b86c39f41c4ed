"""From facts to sentences: what happened to a payment, oldest first, with what went over the wire."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

from apps.integrations.contracts import CallbackFact, CallFact
from apps.payments.contracts import IntentStatus, TimelineFact
from apps.portal.contracts import Booking, DeliveryLine, Raw, ReceiptFacts, Step, Target, Tone
from apps.portal.selectors import states, words

PUSH, TOKEN, REVERSAL = "stk_push", "oauth", "reversal"
QUESTIONS = {"stk_query": "Asked M-Pesa", "transaction_status": "Asked M-Pesa what became of it"}
CLOSED = {
    IntentStatus.CANCELLED: (Tone.QUIET, "block", "Cancelled"),
    IntentStatus.EXPIRED: (Tone.QUIET, "timer_off", "Expired"),
}
CAUSES = [
    "created",
    "confirmed",
    "cancel_requested",
    "sending",
    "initiated",
    "unknown",
    "question",
    "callback",
    "failed",
    "booked",
    "transaction",
    "closed",
    "settled",
    "refund_asked",
    "refund_sent",
    "refund_ended",
    "receipt",
    "told",
]
RANKS = {kind: rank for rank, kind in enumerate(CAUSES)}
"""Cause before effect, where both carry the same instant."""
SPECIAL_WORDS = {
    "DUPLICATE": "The provider repeated itself; nothing changed.",
    "APPLIED": "Stored, matched and applied.",
}


def of_intent(intent: Any, facts: Iterable[TimelineFact], *, maker: str) -> list[Step]:
    """Return the steps of the intent itself; ``maker`` is who asked for it."""
    own = [fact for fact in facts if fact.attempt_number == 0]
    return [
        replace(step, rank=RANKS[fact.kind]) for fact in own if (step := _intent_step(intent, fact, maker))
    ]


def _intent_step(intent: Any, fact: TimelineFact, maker: str) -> Step | None:
    step = None
    match fact.kind:
        case "created":
            about = f", for {intent.reference}" if intent.reference else ""
            text = f"By {maker}{about}: {intent.money}."
            step = Step(fact.at, Tone.QUIET, "add", "Payment requested", text)
        case "confirmed" if fact.at != intent.created_at:
            step = Step(fact.at, Tone.QUIET, "check", "Confirmed", "The payer may be asked now.")
        case "cancel_requested":
            text = "Nothing new is sent."
            step = Step(fact.at, Tone.QUIET, "block", "Cancellation asked for", text)
        case "closed":
            tone, icon, title = CLOSED.get(intent.status, (Tone.FAILED, "cancel", "Closed without money"))
            step = Step(fact.at, tone, icon, title, intent.failure_message)
        case "settled":
            step = _settled(intent, fact)
    return step


def _settled(intent: Any, fact: TimelineFact) -> Step:
    badge = states.PAYMENT[intent.status]
    late = " It came after the payment had been closed." if fact.detail == "late" else ""
    if intent.status == IntentStatus.SUCCEEDED:
        return Step(fact.at, badge.tone, badge.icon, "Succeeded", f"The sum is what was asked for.{late}")
    return Step(
        fact.at, badge.tone, badge.icon, badge.word, f"The money does not fit what was asked for.{late}"
    )


def of_attempts(
    attempts: Iterable[Any], facts: Sequence[TimelineFact], calls: Sequence[CallFact], *, may_see_raw: bool
) -> list[Step]:
    """Return the steps of the attempts; the request that each one sent stands at the step that it led to."""
    found = []
    for attempt in attempts:
        pushes = [call for call in calls if call.subject_id == attempt.id and call.kind == PUSH]
        raws = wire(pushes) if may_see_raw else ()
        own = [fact for fact in facts if fact.attempt_number == attempt.number]
        led_to = next((fact.kind for fact in own if fact.kind in {"initiated", "unknown", "failed"}), "")
        for fact in own:
            step = replace(_attempt_step(attempt, fact), rank=RANKS[fact.kind])
            found.append(replace(step, raws=raws) if fact.kind == led_to else step)
    return found


def _attempt_step(attempt: Any, fact: TimelineFact) -> Step:
    rail = words.rail(attempt.provider)
    number = f"Attempt {attempt.number}"
    match fact.kind:
        case "sending":
            text = f"{number}, code {attempt.code}, from {attempt.provider_account}."
            return Step(fact.at, Tone.QUIET, "schedule_send", f"Request to {rail} prepared", text)
        case "initiated":
            text = f"{rail} accepted the request. {number}."
            return Step(
                fact.at, Tone.PENDING, "smartphone", f"Prompt sent to {words.phone(attempt.phone)}", text
            )
        case "unknown":
            text = f"The money may have moved. Nothing is sent again until {rail} answers."
            return Step(fact.at, Tone.UNKNOWN, "help", "No answer: outcome unknown", text, is_gap=True)
        case "failed":
            badge = states.ATTEMPT[attempt.status]
            reason = attempt.failure_message or attempt.failure_code
            code = f" ({rail}: {attempt.provider_code})" if attempt.provider_code else ""
            return Step(fact.at, badge.tone, badge.icon, f"{number} ended without money", f"{reason}{code}")
    return _arrived(attempt, fact)


def _arrived(attempt: Any, fact: TimelineFact) -> Step:
    receipt = (
        f"{words.rail(attempt.provider)} receipt {attempt.provider_receipt}"
        if attempt.provider_receipt
        else "No receipt yet"
    )
    told = (
        ""
        if attempt.is_amount_reported
        else " The sum is taken from the payment: the provider has not told it."
    )
    kept = " It waits in suspense for a person." if attempt.is_in_suspense else ""
    badge = states.ATTEMPT[attempt.status]
    text = f"{receipt}, {attempt.received}, fee {attempt.fee} by tariff.{told}{kept}"
    return Step(fact.at, badge.tone, "payments", "Money arrived", text)


def of_refunds(refunds: Iterable[Any], calls: Sequence[CallFact], *, may_see_raw: bool) -> list[Step]:
    """Return the steps of refunds; what was sent to the provider stands at the step that it led to."""
    found = []
    for refund in refunds:
        sent = [call for call in calls if call.subject_id == refund.id and call.kind == REVERSAL]
        raws = wire(sent) if may_see_raw else ()
        asked = f"By {words.actor(refund.created_by)}: {refund.money}. {refund.reason}"
        found.append(
            Step(refund.created_at, Tone.QUIET, "undo", "Refund asked for", asked, rank=RANKS["refund_asked"])
        )
        led_to = _refund_sent(refund)
        if led_to is not None:
            found.append(replace(led_to, raws=raws, rank=RANKS["refund_sent"]))
        if refund.refunded_at or refund.closed_at:
            ended = replace(_refund_ended(refund), rank=RANKS["refund_ended"])
            found.append(ended if led_to else replace(ended, raws=raws))
    return found


def _refund_sent(refund: Any) -> Step | None:
    rail = words.rail(refund.provider)
    if refund.unknown_at is not None:
        text = f"The money may be gone. Nothing is sent again until {rail} answers."
        return Step(refund.unknown_at, Tone.UNKNOWN, "help", "No answer: refund unknown", text, is_gap=True)
    if refund.initiated_at is not None:
        return Step(refund.initiated_at, Tone.PENDING, "hourglass_top", f"{rail} took the refund", "")
    return None


def _refund_ended(refund: Any) -> Step:
    badge = states.REFUND[refund.status]
    if refund.is_refunded:
        receipt = f"Receipt {refund.provider_receipt}" if refund.provider_receipt else "No receipt yet"
        charge = f", charge {refund.charge}" if refund.charge else ""
        return Step(
            refund.refunded_at,
            badge.tone,
            badge.icon,
            "Money went back",
            f"{receipt}, {refund.money}{charge}.",
        )
    reason = refund.failure_message or refund.failure_code
    return Step(refund.closed_at, badge.tone, badge.icon, f"Refund {badge.word.lower()}", reason)


def of_questions(calls: Iterable[CallFact], *, may_see_raw: bool) -> list[Step]:
    """Return one step for each question to the provider; neighbours are folded later."""
    return [
        Step(
            call.called_at,
            Tone.PENDING,
            "sync",
            QUESTIONS.get(call.kind, f"Called {call.kind}"),
            _answer(call),
            raws=wire([call]) if may_see_raw else (),
            fold=f"{call.kind}:{call.subject_id}",
            rank=RANKS["question"],
        )
        for call in calls
        if call.kind not in {PUSH, TOKEN, REVERSAL}
    ]


def _answer(call: CallFact) -> str:
    if call.response_status is not None:
        return f"Answered with {call.response_status} in {call.elapsed_ms} ms."
    return f"No answer: {call.problem or call.status.lower().replace('_', ' ')}."


def wire(calls: Iterable[CallFact]) -> tuple[Raw, ...]:
    """Return request and answer of each call, redacted as they were stored."""
    raws = []
    for call in calls:
        raws.append(Raw("Request", f"{call.method} {call.url}\n\n{call.request_body}"))
        status = call.response_status if call.response_status is not None else call.status
        raws.append(Raw("Answer", f"{status}, {call.elapsed_ms} ms\n\n{call.response_body or call.problem}"))
    return tuple(raws)


def of_callbacks(callbacks: Iterable[CallbackFact], *, may_see_raw: bool) -> list[Step]:
    """Return one step for each callback, forged and repeated ones included."""
    found = []
    for callback in callbacks:
        badge = states.CALLBACK[callback.status]
        sender = f" From {callback.remote_ip}." if callback.remote_ip else ""
        text = f"{callback.note or SPECIAL_WORDS.get(callback.status, badge.word + '.')}{sender}"
        raws = (Raw("Raw callback", f"SHA-256 {callback.sha256}\n\n{callback.body}"),) if may_see_raw else ()
        title = f"Callback received, {badge.word.lower()}"
        found.append(
            Step(
                callback.received_at,
                badge.tone,
                badge.icon,
                title,
                text,
                raws=raws,
                rank=RANKS["callback"],
            )
        )
    return found


def of_bookings(bookings: Iterable[Booking]) -> list[Step]:
    return [
        Step(
            booking.posted_at,
            Tone.DONE,
            "account_tree",
            "Booked",
            f"{booking.description}: {_sides(booking)}.",
            targets=(Target("transaction", booking.uid, booking.number),),
            rank=RANKS["transaction"],
        )
        for booking in bookings
    ]


def _sides(booking: Booking) -> str:
    debited = ", ".join(entry.account for entry in booking.entries if entry.debit)
    credited = ", ".join(entry.account for entry in booking.entries if entry.credit)
    return f"{debited}, against {credited}"


def of_receipt(receipt: ReceiptFacts | None, stored_at: Any) -> list[Step]:
    if receipt is None:
        return []
    steps = [
        Step(
            receipt.issued_at,
            Tone.DONE,
            "receipt_long",
            "Receipt issued",
            f"{receipt.number}.",
            rank=RANKS["receipt"],
        )
    ]
    if receipt.sha256 and stored_at:
        text = f"SHA-256 {receipt.sha256[:16]}…"
        target = Target("receipt", receipt.id, "PDF")
        steps.append(
            Step(
                stored_at,
                Tone.DONE,
                "description",
                "Receipt PDF stored",
                text,
                targets=(target,),
                rank=RANKS["receipt"],
            )
        )
    return steps


def of_deliveries(deliveries: Iterable[DeliveryLine]) -> list[Step]:
    """Return one step for each delivery that has ended; what still waits stands beside the timeline only."""
    titles: Mapping[str, str] = {"DELIVERED": "Partner told", "EXHAUSTED": "Partner not reached"}
    return [
        Step(
            delivery.finished_at,
            delivery.badge.tone,
            "webhook",
            titles[delivery.status],
            f"{delivery.event} to {delivery.host}: {delivery.answer}.",
            targets=(Target("delivery", delivery.id, delivery.event),),
            fold=f"{delivery.status}:{delivery.host}",
            rank=RANKS["told"],
        )
        for delivery in deliveries
        if delivery.finished_at is not None and delivery.status in titles
    ]


def folded(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Order the steps by time and make one of neighbours that say the same."""
    runs: list[list[Step]] = []
    for step in sorted(steps, key=lambda one: (one.at, one.rank)):
        if step.fold and runs and runs[-1][0].fold == step.fold:
            runs[-1].append(step)
        else:
            runs.append([step])
    return tuple(_joined(run) for run in runs)


def _joined(run: list[Step]) -> Step:
    if len(run) == 1:
        return run[0]
    first, last = run[0], run[-1]
    targets = tuple(target for step in run for target in step.targets)
    if targets:
        text = " ".join(step.text for step in run)
        return replace(first, text=text, targets=targets)
    return replace(
        first,
        title=f"{first.title} {len(run)} times",
        text=f"Last at {_clock(last)}. {last.text}",
        raws=tuple(raw for step in run[:1] + run[-1:] for raw in step.raws),
    )


def _clock(step: Step) -> str:
    return timezone.localtime(step.at).strftime("%H:%M:%S")
