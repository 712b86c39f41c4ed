"""What people decide about the book: which years it has, and what becomes of late items."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit import clock, errors
from apps.kit.dialogs import Answer, Content, Effect, ReasonForm
from apps.ledger.contracts import LateItems
from apps.ledger.selectors import books
from apps.ledger.selectors import periods as stored
from apps.ledger.services import periods
from apps.portal.pages.period_dialogs import BookDialog
from apps.portal.selectors.periods import LATE_POLICIES, title

MONTHS = 12


def find_book(request: HttpRequest) -> stored.Book:
    """Return the book for who works for all branches."""
    books.require_all_branches(request.user)
    book = books.of_organisation()
    if book is None:
        raise errors.NotFound("The book of this organisation opens with the first booking.")
    return book


def list_page() -> str:
    return reverse("portal-periods")


class LateItemsForm(ReasonForm):
    """What becomes of what comes late, and why it is decided so."""

    policy = forms.ChoiceField(
        label=gettext_lazy("A posting dated into a closed period"),
        choices=[
            (LateItems.REJECT.value, gettext_lazy("is refused")),
            (LateItems.NEXT_OPEN.value, gettext_lazy("is dated to the first open day")),
        ],
    )
    field_order = ("policy", "reason")


class SetLateItems(BookDialog):
    """Decide what the book does with what comes late."""

    name = "late-items"
    label = gettext_lazy("Late items…")
    icon = "event_repeat"

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return LateItemsForm(data, initial={"policy": rows[0].late_items})

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("What becomes of late items"),
            button=_("Decide it so"),
            effects=[Effect(_("At present"), str(LATE_POLICIES[LateItems(rows[0].late_items)]))],
            next_step=_(
                "It holds for what is posted from now on. What was moved keeps the day that was asked for beside it."
            ),
        )

    def decide(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one book)
        policy = LateItems(answer.data["policy"])
        periods.set_late_items(
            policy=policy, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return str(LATE_POLICIES[policy])


class YearForm(forms.Form):
    """Which year to open, and once for ever in which month the book's years begin."""

    year = forms.IntegerField(label=gettext_lazy("Year in which it begins"), min_value=1900, max_value=9000)
    first_month = forms.IntegerField(
        label=gettext_lazy("Month in which the years begin"),
        help_text=gettext_lazy("1 for January. It stays so once there are periods."),
        min_value=1,
        max_value=MONTHS,
    )


class OpenYear(BookDialog):
    """Open the twelve months of a year."""

    name = "open-year"
    label = gettext_lazy("Open a year…")
    icon = "add"

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        last = stored.stored().last()
        first_year = last.end_date.year + (last.end_date.month == MONTHS) if last else clock.now().year
        form = YearForm(data, initial={"year": first_year, "first_month": rows[0].fiscal_year_start})
        if last:
            del form.fields["first_month"]
        return form

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the form says all)
        return Content(
            title=_("Open a year"),
            button=_("Open the year"),
            next_step=_(
                "Its twelve months are there to be closed one after another. A year follows the one before it."
            ),
        )

    def decide(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one book)
        opened = periods.generate(
            year=answer.data["year"],
            first_month=answer.data.get("first_month"),
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(first)s to %(last)s: open.") % {"first": title(opened[0]), "last": title(opened[-1])}
