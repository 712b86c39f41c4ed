"""The steps of refunds on the timeline of a payment."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from apps.integrations.contracts import CallFact, CallRole, kinds_of_role
from apps.payments.contracts.verdicts import RefundVerdict
from apps.portal.contracts import Step, Tone
from apps.portal.selectors import states, steps, words


def of_refunds(refunds: Iterable[Any], calls: Sequence[CallFact], *, may_see_raw: bool) -> list[Step]:
    """Return the steps of refunds; what was sent to the provider stands at the step that it led to."""
    found = []
    for refund in refunds:
        sent = [
            call
            for call in calls
            if call.subject_id == refund.id and call.kind in kinds_of_role(CallRole.GIVING_BACK)
        ]
        raws = steps.wire(sent) if may_see_raw else ()
        told = {"who": words.actor(refund.created_by), "money": refund.money}
        asked = f"{_('By %(who)s: %(money)s.') % told} {refund.reason}"
        title = _("Refund asked for")
        found.append(
            Step(refund.created_at, Tone.QUIET, "undo", title, asked, rank=steps.RANKS["refund_asked"])
        )
        led_to = _refund_sent(refund)
        if led_to is not None:
            found.append(replace(led_to, raws=raws, rank=steps.RANKS["refund_sent"]))
        if refund.judged_at is not None:
            found.append(_refund_judged(refund))
        if refund.refunded_at or refund.closed_at:
            ended = replace(_refund_ended(refund), rank=steps.RANKS["refund_ended"])
            found.append(ended if led_to else replace(ended, raws=raws))
    return found


def _refund_sent(refund: Any) -> Step | None:
    rail = words.rail(refund.provider)
    if refund.unknown_at is not None:
        text = _("The money may be gone. Nothing is sent again until %(rail)s answers.") % {"rail": rail}
        return Step(
            refund.unknown_at, Tone.UNKNOWN, "help", _("No answer: refund unknown"), text, is_gap=True
        )
    if refund.initiated_at is not None:
        title = _("%(rail)s took the refund") % {"rail": rail}
        return Step(refund.initiated_at, Tone.PENDING, "hourglass_top", title, "")
    return None


def _refund_judged(refund: Any) -> Step:
    """Return who said what became of it; the provider contradicts that where the money went back afterwards."""
    is_given_back = refund.verdict == RefundVerdict.GIVEN_BACK
    said = (
        _("%(who)s said that it went back: %(why)s")
        if is_given_back
        else _("%(who)s said that it did not go back: %(why)s")
    )
    text = said % {"who": words.actor(refund.verdict_by), "why": refund.verdict_reason}
    is_contradicted = is_given_back != refund.is_refunded
    if is_contradicted:
        text = f"{text} {_('The provider has said otherwise since.')}"
    tone = Tone.UNKNOWN if is_contradicted else Tone.QUIET
    title = _("Closed by people, another agreed")
    return Step(refund.judged_at, tone, "gavel", title, text, rank=steps.RANKS["refund_judged"])


def _refund_ended(refund: Any) -> Step:
    badge = states.REFUND[refund.status]
    if refund.is_refunded:
        told = {"receipt": refund.provider_receipt}
        receipt = _("Receipt %(receipt)s") % told if told["receipt"] else _("No receipt yet")
        charge = _("charge %(money)s") % {"money": refund.charge} if refund.charge else ""
        text = ", ".join(filter(None, [receipt, str(refund.money), charge]))
        return Step(refund.refunded_at, badge.tone, badge.icon, _("Money went back"), f"{text}.")
    reason = refund.failure_message or refund.failure_code
    title = _("Refund %(state)s") % {"state": str(badge.word).lower()}
    return Step(refund.closed_at, badge.tone, badge.icon, title, reason)
