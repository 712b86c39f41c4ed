"""What people do with a period of the book: sign off, announce its close, close it, and ask to open it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit import clock, errors
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.ledger.contracts import SIGN_OFFS, LateItems, PeriodState, Precondition, SignOffKind
from apps.ledger.selectors import books, preconditions
from apps.ledger.selectors import periods as stored
from apps.ledger.selectors.periods import Period
from apps.ledger.selectors.preconditions import Question
from apps.ledger.services import period_closes, periods, reopenings
from apps.portal.selectors.periods import CARRIED, LATE_POLICIES, days, title

NOTE_MAX = periods.NOTE_MAX


@dataclass(frozen=True, slots=True)
class Slot:
    """One kind of sign-off of one period, and what the books say about it now."""

    pk: str
    period: Period
    kind: SignOffKind
    finding: Precondition | None
    is_signed: bool


def find_period(request: HttpRequest, period_id: UUID) -> Period:
    """Return a period for who works for all branches: its dialogs tell what the whole book has earned."""
    books.require_all_branches(request.user)
    return stored.get(period_id)


def find_slot(request: HttpRequest, period_id: UUID, kind: str) -> Slot:
    """Return the slot of a sign-off, as ``find_period``; raise NotFound for a kind that nobody declared."""
    period = find_period(request, period_id)
    if kind not in SIGN_OFFS:
        raise errors.NotFound("There is no such sign-off.")
    last = stored.sign_offs_of(period).filter(kind=kind).first()
    found = [] if period.state == PeriodState.CLOSED else preconditions.of(Question(period, clock.now()))
    finding = next((each for each in found if each.name == kind), None)
    return Slot(
        f"{period.pk}:{kind}", period, SIGN_OFFS[kind], finding, is_signed=bool(last and last.is_signed)
    )


def page_of(period_id: UUID, **_names: str) -> str:
    return reverse("portal-period", args=[period_id])


class BookDialog(Dialog):
    """What is decided for the whole book, by who works for all branches."""

    permission = "ledger.close"

    def act(self, row: Any, answer: Answer) -> str:
        books.require_all_branches(answer.request.user)
        return self.decide(row, answer)

    def decide(self, row: Any, answer: Answer) -> str:
        """Make the service call and return what happened."""
        raise NotImplementedError


class NoteForm(forms.Form):
    """What somebody vouches for, in words that stay."""

    note = forms.CharField(label=gettext_lazy("Note"), max_length=NOTE_MAX, required=False)


class SignOff(BookDialog):
    """Vouch for something that the close waits for."""

    name = "sign-off"
    label = gettext_lazy("Sign off…")
    form_class = NoteForm

    def is_offered(self, row: Slot) -> bool:
        return row.period.state != PeriodState.CLOSED and not (row.is_signed and _is_met(row))

    def content(self, request: HttpRequest, rows: Sequence[Slot]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        finding = [Effect(_("The books say"), row.finding.sentence)] if row.finding else []
        return Content(
            title=_("Sign off: %(what)s") % {"what": row.kind.title},
            button=_("Sign off"),
            about=title(row.period),
            effects=finding,
            next_step=_(
                "Your name and the time stay with the period. You can take it back until the period is closed."
            ),
            version=f"{row.period.revision} {row.is_signed}",
        )

    def decide(self, row: Slot, answer: Answer) -> str:
        _sign(row, answer, is_signed=True, note=answer.data["note"])
        return _("%(what)s: signed off.") % {"what": row.kind.title}


class TakeBack(BookDialog):
    """Take a sign-off back."""

    name = "take-back"
    label = gettext_lazy("Take back…")
    form_class = ReasonForm

    def is_offered(self, row: Slot) -> bool:
        return row.period.state != PeriodState.CLOSED and row.is_signed

    def content(self, request: HttpRequest, rows: Sequence[Slot]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        return Content(
            title=_("Take the sign-off back: %(what)s") % {"what": row.kind.title},
            button=_("Take it back"),
            about=title(row.period),
            next_step=_("The close waits for it again. Both stay in the history."),
            version=f"{row.period.revision}",
        )

    def decide(self, row: Slot, answer: Answer) -> str:
        _sign(row, answer, is_signed=False, note=answer.data["reason"])
        return _("%(what)s: taken back.") % {"what": row.kind.title}


class Announce(BookDialog):
    """Say that a period is about to be closed."""

    name = "announce"
    label = gettext_lazy("Announce the close…")
    icon = "lock_clock"

    def is_offered(self, row: Period) -> bool:
        return row.state == PeriodState.OPEN

    def content(self, request: HttpRequest, rows: Sequence[Period]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Announce the close of %(period)s") % {"period": title(rows[0])},
            button=_("Announce it"),
            next_step=_("Everybody sees that it is about to close. Postings go on as before."),
        )

    def decide(self, row: Period, answer: Answer) -> str:
        periods.soft_close(period_id=row.uid, actor=answer.actor, now=answer.now)
        return _("%(period)s is about to close.") % {"period": title(row)}


class Resume(BookDialog):
    """Take the announcement of a close back."""

    name = "resume"
    label = gettext_lazy("Take the announcement back…")
    icon = "lock_open"

    def is_offered(self, row: Period) -> bool:
        return row.state == PeriodState.SOFT_CLOSED

    def content(self, request: HttpRequest, rows: Sequence[Period]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("%(period)s is not closed yet") % {"period": title(rows[0])},
            button=_("Take it back"),
            next_step=_("The period is open as before. What was signed off stays so."),
        )

    def decide(self, row: Period, answer: Answer) -> str:
        periods.resume(period_id=row.uid, actor=answer.actor, now=answer.now)
        return _("%(period)s is open.") % {"period": title(row)}


class CloseForm(NoteForm):
    """Whether holds go on in the next period, and a note."""

    is_carrying_holds = forms.BooleanField(
        label=gettext_lazy("Let open holds go on in the next period"), required=False
    )


class Close(BookDialog):
    """Close a period: a worker does it, and the page of the period shows what became of it."""

    name = "close"
    label = gettext_lazy("Close the period…")
    icon = "lock"
    steps_up = True
    is_danger = True

    def is_offered(self, row: Period) -> bool:
        return row.state != PeriodState.CLOSED

    def form(self, request: HttpRequest, rows: Sequence[Period], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        form = CloseForm(data)
        if not any(found.name == CARRIED and found.count for found in self.found(rows[0])):
            del form.fields["is_carrying_holds"]
        return form

    def content(self, request: HttpRequest, rows: Sequence[Period]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        book = books.of_organisation()
        policy = str(LATE_POLICIES[LateItems(book.late_items)]) if book else ""
        return Content(
            title=_("Close %(period)s") % {"period": title(row)},
            button=_("Close %(period)s") % {"period": title(row)},
            about=days(row),
            notices=[
                Notice(str(found.title), found.sentence) for found in self.found(row) if not found.is_met
            ],
            effects=[*self._year(row), Effect(_("Late items"), policy)],
            next_step=_(
                "Nothing can be dated into it afterwards, and what stands on each account is kept. Postings wait "
                "meanwhile; in large books, where that takes long, they are told to try again. Only two people "
                "together open it again."
            ),
            typed_text=f"{row.start_date:%Y-%m}",
            version=f"{row.state} {row.revision}",
        )

    def found(self, row: Period) -> list[Precondition]:
        """Return what the close waits for; read once for a dialog."""
        if not hasattr(self, "_found"):
            self._found = preconditions.of(Question(row, clock.now()))
        return self._found

    def _year(self, row: Period) -> list[Effect]:
        if not row.is_year_end:
            return []
        result = [Effect(_("Result of the year"), money, is_live=True) for money in stored.results_at(row)]
        return [Effect(_("Income and expenses"), _("go into retained earnings")), *result]

    def decide(self, row: Period, answer: Answer) -> str:
        period_closes.start(
            period_id=row.uid,
            caller=answer.request.user,
            title=_("Close of %(period)s") % {"period": title(row)},
            is_carrying_holds=answer.data.get("is_carrying_holds", False),
            reason=answer.data["note"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("The close of %(period)s has begun.") % {"period": title(row)}

    def landing(self, request: HttpRequest, rows: Sequence[Period]) -> str:  # noqa: ARG002 (the period's page)
        return page_of(rows[0].uid)


class Reopen(BookDialog):
    """Ask another person to agree that the last closed period is opened again."""

    name = "reopen"
    label = gettext_lazy("Ask to open it again…")
    icon = "lock_open"
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: Period) -> bool:
        return row.state == PeriodState.CLOSED

    def content(self, request: HttpRequest, rows: Sequence[Period]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        reversed_ = [Effect(_("Closing of the year"), _("is reversed on its last day"))]
        return Content(
            title=_("Ask to open %(period)s again") % {"period": title(row)},
            button=_("Ask for it"),
            about=days(row),
            notices=[
                Notice(
                    _("What was reported of it may change"),
                    _("Printed reports show the hash of this close. The next close has another one."),
                )
            ],
            effects=[
                *(reversed_ if row.is_year_end else []),
                Effect(_("Sign-offs"), _("are asked for anew")),
                Effect(_("Kept balances"), _("stay beside those of the next close")),
            ],
            next_step=_("Another person decides. Nothing is opened until he has agreed."),
            version=f"{row.revision} {bytes(row.checkpoint_hash or b'').hex()}",
        )

    def decide(self, row: Period, answer: Answer) -> str:
        reopenings.ask(period_id=row.uid, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("Asked to open %(period)s again. Another person decides.") % {"period": title(row)}


def _is_met(row: Slot) -> bool:
    return row.finding is None or row.finding.is_met


def _sign(row: Slot, answer: Answer, *, is_signed: bool, note: str) -> None:
    periods.sign_off(
        kind=row.kind.name,
        period_id=row.period.uid,
        is_signed=is_signed,
        note=note,
        actor=answer.actor,
        now=answer.now,
    )
