"""What people type on pages: signing in, and the dates that figures of the ledger are asked for."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, cast

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.utils.translation import gettext_lazy as _

from apps.kit import dialogs

REFUSAL = _("E-mail or password is not right, or the account does not belong to this organisation.")
LOCKED = _(
    "Too many wrong attempts from here. Wait 15 minutes, then try again; a right password is not taken before."
)
FIRST_YEAR, LAST_YEAR = 1900, 2999
DAY_INVALID = {"invalid": _("Enter a day, as 2026-11-24.")}
INSTANT_INVALID = {"invalid": _("Enter a day and a time, as 2026-11-24T10:41:00.")}
INSTANT = "%Y-%m-%dT%H:%M:%S"


class SignInForm(AdminAuthenticationForm):
    """An unknown e-mail, a wrong password, an ended membership and another organisation's account read the same."""

    error_messages = {"invalid_login": REFUSAL, "inactive": REFUSAL}

    def get_invalid_login_error(self) -> forms.ValidationError:
        """Return what is wrong; after too many attempts the same for every e-mail, known or not."""
        if getattr(self.request, "axes_locked_out", False):
            return forms.ValidationError(LOCKED, code="locked")
        return super().get_invalid_login_error()


class DayField(forms.DateField):
    """A day that may stay empty, within years that books have."""

    def __init__(self, label: Any, help_text: Any = "") -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            required=False,
            input_formats=["%Y-%m-%d"],
            error_messages=DAY_INVALID,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )

    def clean(self, value: Any) -> date | None:
        return _within_years(super().clean(value))


class InstantField(forms.DateTimeField):
    """An instant in the page's zone that may stay empty."""

    def __init__(self, label: Any, help_text: Any = "") -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            required=False,
            input_formats=[INSTANT, "%Y-%m-%dT%H:%M"],
            error_messages=INSTANT_INVALID,
            widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format=INSTANT),
        )

    def clean(self, value: Any) -> datetime | None:
        return _within_years(super().clean(value))


class BookDatesForm(forms.Form):
    """
    At the end of which day, and as known when; ``today`` is the book's day. Cleaned, ``as_of`` is always there.

    What is not known yet is refused: it could not be read again.
    """

    as_of = DayField(_("At the end of"), _("Today, if empty."))
    known_at = InstantField(_("As known at"), _("Now, if empty. What was posted later is left out."))

    def __init__(self, data: Any, *, now: datetime, today: date) -> None:
        super().__init__(data)
        self.now, self.today = now, today
        for name in self.fields:
            dialogs.dress(self, name)

    def clean_as_of(self) -> date:
        return self.cleaned_data["as_of"] or self.today

    def clean_known_at(self) -> datetime | None:
        known_at: datetime | None = self.cleaned_data["known_at"]
        if known_at is not None and known_at > self.now:
            raise forms.ValidationError(_("This is still to come: nobody knows yet what will be posted."))
        return known_at


class ChartForm(BookDatesForm):
    """Which part of the chart, at which dates; the choices are those of the accounts that the reader sees."""

    type = forms.ChoiceField(label=_("Type"), required=False)
    role = forms.ChoiceField(label=_("Role"), required=False)
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    branch = forms.ChoiceField(label=_("Branch"), required=False)

    def __init__(
        self, data: Any, *, now: datetime, today: date, choices: Mapping[str, Iterable[tuple[str, Any]]]
    ) -> None:
        super().__init__(data, now=now, today=today)
        self.known = {name: dict(known) for name, known in choices.items()}
        for name, words in self.known.items():
            cast(forms.ChoiceField, self.fields[name]).choices = [("", _("All")), *words.items()]

    def narrowed(self) -> list[str]:
        """Return what narrows the chart, each in its word."""
        chosen = [
            self.known[name][self.cleaned_data[name]] for name in self.known if self.cleaned_data.get(name)
        ]
        return [str(word) for word in chosen]


class RangeForm(BookDatesForm):
    """Between which days: without a first one from the first of the month of the last. Cleaned, ``since`` is always there."""

    since = DayField(_("From"), _("The first of the month, if empty."))
    field_order = ["since", "as_of", "known_at"]

    def clean(self) -> dict[str, Any]:
        asked = self.cleaned_data
        since, as_of = asked.get("since"), asked.get("as_of")
        if since and as_of and since > as_of:
            self.add_error("since", _("The first day is after the last one."))
        elif as_of and "since" in asked:
            asked["since"] = since or as_of.replace(day=1)
        return asked


def _within_years[Day: (date, datetime, None)](value: Day) -> Day:
    """Return a day or an instant of a year that books have; a date near the ends of the calendar has no day before it."""
    if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise forms.ValidationError(
            _("Enter a year from %(first)d to %(last)d.") % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )
    return value
