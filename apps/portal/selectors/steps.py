"""From facts to sentences: what happened to a payment, oldest first, with what went over the wire."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.integrations.contracts import CallbackFact, CallFact, CallRole, kinds_of_role, who_is_asked
from apps.integrations.selectors import kinds
from apps.payments.contracts import IntentStatus, TimelineFact
from apps.portal.contracts import Booking, DeliveryLine, Raw, ReceiptFacts, Step, Target, Tone
from apps.portal.selectors import states, words

CLOSED = {
    IntentStatus.CANCELLED: (Tone.QUIET, "block", gettext_lazy("Cancelled")),
    IntentStatus.EXPIRED: (Tone.QUIET, "timer_off", gettext_lazy("Expired")),
}
CAUSES = [
    "created",
    "confirmed",
    "cancel_requested",
    "routed",
    "sending",
    "initiated",
    "unknown",
    "question",
    "callback",
    "unasked",
    "authorized",
    "judged",
    "failed",
    "booked",
    "surrendered",
    "disputed",
    "transaction",
    "closed",
    "settled",
    "completed",
    "refund_asked",
    "refund_sent",
    "refund_judged",
    "refund_ended",
    "receipt",
    "told",
]
RANKS = {kind: rank for rank, kind in enumerate(CAUSES)}
"""Cause before effect, where both carry the same instant."""
CALLED = {
    "dispute_query": gettext_lazy("Asked how the dispute stands"),
    "evidence": gettext_lazy("Sent the evidence"),
    "file": gettext_lazy("Sent a file of the evidence"),
    "dispute_accept": gettext_lazy("Said that the dispute is given up"),
    "dispute_appeal": gettext_lazy("Appealed against the loss"),
}
"""What was said to a provider about a dispute, by the kind of call."""
SPECIAL_WORDS = {
    "DUPLICATE": gettext_lazy("The provider repeated itself; nothing changed."),
    "APPLIED": gettext_lazy("Stored, matched and applied."),
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
            asked = {"who": maker, "reference": intent.reference, "money": intent.money}
            text = (
                _("By %(who)s, for %(reference)s: %(money)s.")
                if intent.reference
                else _("By %(who)s: %(money)s.")
            )
            step = Step(fact.at, Tone.QUIET, "add", _("Payment requested"), text % asked)
        case "confirmed" if fact.at != intent.created_at:
            step = Step(fact.at, Tone.QUIET, "check", _("Confirmed"), _("The payer may be asked now."))
        case "cancel_requested":
            text = _("Nothing new is sent.")
            step = Step(fact.at, Tone.QUIET, "block", _("Cancellation asked for"), text)
        case "closed":
            tone, icon, title = CLOSED.get(intent.status, (Tone.FAILED, "cancel", _("Closed without money")))
            step = Step(fact.at, tone, icon, str(title), intent.failure_message)
        case "settled":
            step = _settled(intent, fact)
        case "completed":
            badge = states.PAYMENT[intent.status]
            step = Step(fact.at, badge.tone, badge.icon, str(badge.word), _("All parts have come."))
    return step


def _settled(intent: Any, fact: TimelineFact) -> Step:
    badge = states.PAYMENT[intent.status]
    if intent.is_in_parts:
        badge, text = states.PAYMENT[IntentStatus.PARTIALLY_PAID], _("A part of what was asked for has come.")
    elif intent.status == IntentStatus.SUCCEEDED:
        text = _("The sum is what was asked for.")
    else:
        text = _("The money does not fit what was asked for.")
    late = _("It came after the payment had been closed.") if fact.detail == "late" else ""
    return Step(fact.at, badge.tone, badge.icon, str(badge.word), f"{text} {late}".strip())


def of_attempts(
    attempts: Iterable[Any], facts: Sequence[TimelineFact], calls: Sequence[CallFact], *, may_see_raw: bool
) -> list[Step]:
    """Return the steps of the attempts; the request that each one sent stands at the step that it led to."""
    found = []
    pushing = kinds_of_role(CallRole.ASKING) | kinds_of_role(CallRole.CHARGING)
    for attempt in attempts:
        pushes = [call for call in calls if call.subject_id == attempt.id and call.kind in pushing]
        raws = wire(pushes) if may_see_raw else ()
        own = [fact for fact in facts if fact.attempt_number == attempt.number]
        led_to = next((fact.kind for fact in own if fact.kind in {"initiated", "unknown", "failed"}), "")
        for fact in own:
            if fact.kind == "sending" and fact.at == attempt.booked_at:
                continue  # nothing was sent: it was made with the money that came unasked
            step = replace(_attempt_step(attempt, fact), rank=RANKS[fact.kind])
            found.append(replace(step, raws=raws) if fact.kind == led_to else step)
    return found


def _attempt_step(attempt: Any, fact: TimelineFact) -> Step:
    rail = words.rail(attempt.provider)
    number = _("Attempt %(number)s") % {"number": attempt.number}
    match fact.kind:
        case "sending":
            told = {"attempt": number, "code": attempt.code, "account": attempt.provider_account}
            text = _("%(attempt)s, code %(code)s, from %(account)s.") % told
            return Step(
                fact.at, Tone.QUIET, "schedule_send", _("Request to %(rail)s prepared") % {"rail": rail}, text
            )
        case "initiated":
            text = _("%(rail)s accepted the request. %(attempt)s.") % {"rail": rail, "attempt": number}
            prompt = _("Prompt sent to %(phone)s") % {"phone": words.phone(attempt.phone)}
            title = _("The payer has a page to pay on") if attempt.is_patient else prompt
            return Step(fact.at, Tone.PENDING, "smartphone", title, text)
        case "unknown":
            text = _("The money may have moved. Nothing is sent again until %(rail)s answers.") % {
                "rail": rail
            }
            return Step(fact.at, Tone.UNKNOWN, "help", _("No answer: outcome unknown"), text, is_gap=True)
        case "failed":
            badge = states.ATTEMPT[attempt.status]
            reason = attempt.failure_message or attempt.failure_code
            code = f" ({rail}: {attempt.provider_code})" if attempt.provider_code else ""
            title = _("%(attempt)s ended without money") % {"attempt": number}
            return Step(fact.at, badge.tone, badge.icon, title, f"{reason}{code}")
    return _arrived(attempt, fact)


def _judged(attempt: Any, fact: TimelineFact) -> Step:
    """Return who said that it brought no money; the provider contradicts that where money came afterwards."""
    told = {"who": words.actor(attempt.verdict_by), "why": attempt.verdict_reason}
    said = _("%(who)s said that nothing was collected: %(why)s") % told
    contradicted = _("The provider has said otherwise since.") if attempt.is_booked else ""
    tone = Tone.UNKNOWN if attempt.is_booked else Tone.QUIET
    return Step(
        fact.at, tone, "gavel", _("Closed by people, another agreed"), f"{said} {contradicted}".strip()
    )


def _arrived(attempt: Any, fact: TimelineFact) -> Step:
    if fact.kind == "authorized":
        held = {"rail": words.rail(attempt.provider), "money": attempt.held}
        text = _("%(rail)s holds %(money)s back.") % held
        return Step(fact.at, Tone.PENDING, "lock_clock", _("The payer agreed"), text)
    if fact.kind == "judged":
        return _judged(attempt, fact)
    if fact.kind == "surrendered":
        title = _("The money was taken from the payment")
        return Step(fact.at, Tone.HELD, "call_split", title, _("It waits in suspense for a person."))
    told = {"rail": words.rail(attempt.provider), "receipt": attempt.provider_receipt}
    receipt = _("%(rail)s receipt %(receipt)s") % told if attempt.provider_receipt else _("No receipt yet")
    sums = {"receipt": receipt, "money": attempt.received, "fee": attempt.fee}
    sentences = [
        (
            _("%(receipt)s, %(money)s, fee %(fee)s.")
            if attempt.is_fee_reported
            else _("%(receipt)s, %(money)s, fee %(fee)s by tariff.")
        )
        % sums
    ]
    if not attempt.is_amount_reported:
        sentences.append(_("The sum is taken from the payment: the provider has not told it."))
    if attempt.is_in_suspense:
        sentences.append(_("It waits in suspense for a person."))
    badge = states.ATTEMPT[attempt.status]
    return Step(fact.at, badge.tone, "payments", _("Money arrived"), " ".join(sentences))


def of_questions(calls: Iterable[CallFact], *, may_see_raw: bool) -> list[Step]:
    """Return one step for each question to the provider; neighbours are folded later."""
    no_questions = frozenset[str]().union(
        *map(kinds_of_role, (CallRole.ASKING, CallRole.CHARGING, CallRole.TOKEN, CallRole.GIVING_BACK))
    )
    return [
        Step(
            call.called_at,
            Tone.PENDING,
            "sync",
            _question(call),
            _answer(call),
            raws=wire([call]) if may_see_raw else (),
            fold=f"{call.kind}:{call.subject_id}",
            rank=RANKS["question"],
        )
        for call in calls
        if call.kind not in no_questions
    ]


def _question(call: CallFact) -> str:
    if call.kind in CALLED:
        return str(CALLED[call.kind])
    asked = who_is_asked(call.kind)
    return (
        _("Asked %(rail)s") % {"rail": asked}
        if asked
        else _("Called %(what)s") % {"what": kinds.called(call.kind)}
    )


def _answer(call: CallFact) -> str:
    if call.response_status is not None:
        return _("Answered with %(status)s in %(time)s ms.") % {
            "status": call.response_status,
            "time": call.elapsed_ms,
        }
    return _("No answer: %(why)s.") % {"why": call.problem or call.status.lower().replace("_", " ")}


def wire(calls: Iterable[CallFact]) -> tuple[Raw, ...]:
    """Return request and answer of each call, redacted as they were stored."""
    raws = []
    for call in calls:
        raws.append(Raw(_("Request"), f"{call.method} {call.url}\n\n{call.request_body}"))
        status = call.response_status if call.response_status is not None else call.status
        raws.append(
            Raw(_("Answer"), f"{status}, {call.elapsed_ms} ms\n\n{call.response_body or call.problem}")
        )
    return tuple(raws)


def of_callbacks(callbacks: Iterable[CallbackFact], *, may_see_raw: bool) -> list[Step]:
    """Return one step for each callback, forged and repeated ones included."""
    found = []
    for callback in callbacks:
        badge = states.CALLBACK[callback.status]
        sender = _("From %(address)s.") % {"address": callback.remote_ip} if callback.remote_ip else ""
        what = callback.note or SPECIAL_WORDS.get(callback.status) or f"{badge.word}."
        text = f"{what} {sender}".strip()
        raws = (
            (Raw(_("Raw callback"), f"SHA-256 {callback.sha256}\n\n{callback.body}"),) if may_see_raw else ()
        )
        title = _("Callback received, %(state)s") % {"state": str(badge.word).lower()}
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
            _("Booked"),
            f"{booking.description}: {_sides(booking)}.",
            targets=(Target("transaction", booking.uid, booking.number),),
            rank=RANKS["transaction"],
        )
        for booking in bookings
    ]


def _sides(booking: Booking) -> str:
    debited = ", ".join(entry.account for entry in booking.entries if entry.debit)
    credited = ", ".join(entry.account for entry in booking.entries if entry.credit)
    return _("%(debited)s, against %(credited)s") % {"debited": debited, "credited": credited}


def of_receipts(receipts: Iterable[ReceiptFacts]) -> list[Step]:
    return [step for receipt in receipts for step in _of_receipt(receipt)]


def _of_receipt(receipt: ReceiptFacts) -> list[Step]:
    steps = [
        Step(
            receipt.issued_at,
            Tone.DONE,
            "receipt_long",
            _("Receipt issued"),
            f"{receipt.number}.",
            rank=RANKS["receipt"],
        )
    ]
    if receipt.sha256 and receipt.stored_at:
        text = f"SHA-256 {receipt.sha256[:16]}…"
        target = Target("receipt", receipt.id, "PDF")
        steps.append(
            Step(
                receipt.stored_at,
                Tone.DONE,
                "description",
                _("Receipt PDF stored"),
                text,
                targets=(target,),
                rank=RANKS["receipt"],
            )
        )
    return steps


def of_deliveries(deliveries: Iterable[DeliveryLine]) -> list[Step]:
    """Return one step for each delivery that has ended; what still waits stands beside the timeline only."""
    titles: Mapping[str, str] = {"DELIVERED": _("Partner told"), "EXHAUSTED": _("Partner not reached")}
    return [
        Step(
            delivery.finished_at,
            delivery.badge.tone,
            "webhook",
            titles[delivery.status],
            _("%(event)s to %(host)s: %(answer)s.")
            % {"event": delivery.event, "host": delivery.host, "answer": delivery.answer},
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
        title=_("%(what)s %(count)d times") % {"what": first.title, "count": len(run)},
        text=f"{_('Last at %(time)s.') % {'time': _clock(last)}} {last.text}",
        raws=tuple(raw for step in run[:1] + run[-1:] for raw in step.raws),
    )


def _clock(step: Step) -> str:
    return timezone.localtime(step.at).strftime("%H:%M:%S")
