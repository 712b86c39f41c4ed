"""The dialog that revalues foreign money at the end of a period."""

from collections.abc import Sequence
from datetime import timedelta

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Effect, Notice
from apps.kit.money import Money
from apps.ledger.contracts import PeriodState
from apps.ledger.selectors import books
from apps.ledger.selectors.periods import Period
from apps.ledger.selectors.rates import RateMissing, RateStale
from apps.ledger.services import revaluations
from apps.portal.pages.period_dialogs import BookDialog
from apps.portal.selectors.periods import title


class Revalue(BookDialog):
    """Book what foreign money has gained or lost by the last day of a period."""

    name = "revalue"
    label = gettext_lazy("Revalue…")
    permission = "ledger.exchange"
    steps_up = True

    def is_offered(self, row: Period) -> bool:
        return row.state != PeriodState.CLOSED and row.end_date < books.today(clock.now())

    def content(self, request: HttpRequest, rows: Sequence[Period]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        notices, effects = [], []
        try:
            effects = self._effects(revaluations.value(on=row.end_date, now=clock.now()))
        except (RateMissing, RateStale) as refusal:
            notices = [Notice(_("A rate is missing"), refusal.detail, tone="failed")]
        next_day = row.end_date + timedelta(days=1)
        return Content(
            title=_("Revalue foreign money of %(period)s") % {"period": title(row)},
            button=_("Revalue"),
            about=_("At the rates of the end of %(day)s.") % {"day": row.end_date},
            notices=notices,
            effects=effects,
            next_step=_(
                "It is booked for %(day)s, taken back on %(next)s, and signed off. A day is revalued once."
            )
            % {"day": row.end_date, "next": next_day},
        )

    def _effects(self, valued: Sequence[revaluations.Valued]) -> list[Effect]:
        """Return the rate of each currency, and what was gained or lost in all."""
        rates = {one.rate.base: one.rate for one in valued}
        shown = [
            Effect(_("One %(currency)s") % {"currency": base}, f"{rate.quote} {rate.text}")
            for base, rate in sorted(rates.items())
        ]
        if valued:
            quote = valued[0].rate.quote
            gained = Money(sum(one.gain.minor for one in valued), quote)
            shown.append(Effect(_("Gain, or loss below zero"), gained, is_result=True, is_live=True))
        return shown

    def decide(self, row: Period, answer: Answer) -> str:
        done = revaluations.revalue(on=row.end_date, actor=answer.actor, now=answer.now)
        if done.is_replay:
            return _("It was revalued before: nothing was booked.")
        count = len(done.booked)
        booked = ngettext("%(count)d transaction was booked.", "%(count)d transactions were booked.", count)
        return booked % {"count": count}
