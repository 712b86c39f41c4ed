"""The first page: the cash position."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.kit import clock
from apps.kit.money import Money
from apps.portal.contracts import CashPosition, Tone, Waiting
from apps.portal.pages import chart, frame
from apps.portal.selectors import cash_position, held, period_lists


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing that waits for a person, with the list where it is found."""

    tone: Tone
    icon: str
    title: str
    sums: tuple[Money, ...]
    url: str
    oldest_at: datetime | None = None
    note: str = ""


@frame.page("ledger.view", is_home=True)
def show(request: HttpRequest) -> HttpResponse:
    position = cash_position.of(
        request.user, now=clock.now(), may_see_payments=request.user.has_perm("payments.view")
    )
    attention = _attention(position)
    if request.user.has_perm("ledger.close") and (hint := period_lists.hint(now=position.as_of)):
        attention.append(Attention(Tone.HELD, "event_available", hint.label, (), hint.url))
    expected = [money for money in position.expected.sums if money.currency == position.currency]
    return frame.render(
        request,
        "portal/cash_position.html",
        title=_("Cash position"),
        position=position,
        total=position.total,
        expected=expected[0] if expected else None,
        expected_url=payments_with("PROCESSING", "ACTION_REQUIRED"),
        attention=attention,
        held=held.of(request.user) if request.user.has_perm("integrations.view") else (),
        chart=chart.cash_flow(position.days),
    )


def _attention(position: CashPosition) -> list[Attention]:
    """Return only what is there: a line with nothing in it would soon not be read."""
    unknown, in_review = position.unknown, position.in_review
    lines = []
    if unknown.count:
        title = ngettext("%d payment unknown", "%d payments unknown", unknown.count) % unknown.count
        lines.append(_waiting(Tone.UNKNOWN, "help", title, unknown, "UNKNOWN"))
    if in_review.count:
        title = ngettext("%d payment in review", "%d payments in review", in_review.count) % in_review.count
        lines.append(_waiting(Tone.HELD, "policy", title, in_review, "IN_REVIEW"))
    if position.suspense:
        note = _("not matched to a payment")
        url = reverse("portal-accounts") + "?role=SUSPENSE"
        lines.append(
            Attention(Tone.HELD, "inventory_2", _("Money in suspense"), position.suspense, url, note=note)
        )
    return lines


def _waiting(tone: Tone, icon: str, title: str, waiting: Waiting, status: str) -> Attention:
    return Attention(tone, icon, title, waiting.sums, payments_with(status), waiting.oldest_at)


def payments_with(*statuses: str) -> str:
    """Return the address of the list of payments in these states."""
    query = urlencode({"status": statuses[0]} if len(statuses) == 1 else {"status__in": ",".join(statuses)})
    return f"{reverse('admin:payments_paymentintent_changelist')}?{query}"
