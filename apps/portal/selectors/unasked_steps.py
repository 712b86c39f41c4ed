"""Steps of a payment's timeline about money that came unasked: when it arrived, why it waited, and who decided."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.payments.contracts import InboundStatus
from apps.portal.contracts import Step, Target, Tone
from apps.portal.selectors import words
from apps.portal.selectors.steps import RANKS

ENDS = {
    InboundStatus.MATCHED: (Tone.DONE, "check_circle", gettext_lazy("Its payment was found")),
    InboundStatus.ASSIGNED: (Tone.DONE, "how_to_reg", gettext_lazy("Assigned to this payment")),
    InboundStatus.GIVING_BACK: (Tone.PENDING, "undo", gettext_lazy("It goes back")),
    InboundStatus.RETRACTED: (Tone.QUIET, "block", gettext_lazy("Booking taken back")),
    InboundStatus.TAKEN_BACK: (Tone.FAILED, "gavel", gettext_lazy("Taken by a dispute")),
}


def of_inbound(receipts: Iterable[Any]) -> list[Step]:
    """Return when each receipt of the payment arrived and, where it was put aside, why and what became of it."""
    found = []
    for receipt in receipts:
        is_held = receipt.booked_at is not None
        told = {"receipt": receipt.receipt, "money": receipt.money}
        said = [_("%(receipt)s, %(money)s.") % told]
        if receipt.reference:
            said.append(_("Typed: %(reference)s.") % {"reference": receipt.reference})
        if is_held and receipt.reason:
            said.append(receipt.reason)
        found.append(
            Step(
                receipt.received_at,
                Tone.HELD if is_held else Tone.DONE,
                "inbox_customize" if is_held else "call_received",
                _("Money came unasked and was put aside") if is_held else _("Money came unasked"),
                " ".join(said),
                targets=(Target("inbound_receipt", receipt.id, receipt.receipt),) if is_held else (),
                rank=RANKS["unasked"],
            )
        )
        if is_held and receipt.resolved_at and receipt.status in ENDS:
            tone, icon, title = ENDS[receipt.status]
            by = _("By %(who)s.") % {"who": words.actor(receipt.resolved_by)} if receipt.resolved_by else ""
            found.append(Step(receipt.resolved_at, tone, icon, str(title), by, rank=RANKS["unasked"]))
    return found
