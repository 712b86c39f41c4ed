"""A journal as a person types it: its words, its lines, and what is wrong beside the field that it is about."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors import scope
from apps.kit import dialogs, errors, typed_cards, typed_sums
from apps.kit.money import Money, MoneyInvalid
from apps.ledger.contracts import Direction
from apps.ledger.selectors import accounts
from apps.ledger.services import adjustments
from apps.ledger.services.adjustments import JournalLine, NewJournal

LINES_FIRST = 4
LINES_MORE = 2
LINES_MAX = 200
PREFIX = "lines"
PAIR = re.compile(r"\s*([^:]+?)\s*:\s*(.+?)\s*")


def typed_money(text: str, currency: str) -> Money:
    """Read the sum of a line as people write it, more than zero. Raise ValidationError with what is wrong."""
    try:
        sum_ = typed_sums.read(text, currency)
    except MoneyInvalid as refusal:
        raise forms.ValidationError(refusal.detail) from None
    if sum_.minor < 0:
        raise forms.ValidationError(_("Write it without a minus, in the other column."))
    if sum_.is_zero:
        raise forms.ValidationError(_("Write more than zero."))
    return sum_


class HeadForm(typed_cards.Refusing, forms.Form):
    """What a journal says of itself; the service decides about every word."""

    voucher = forms.CharField(
        label=gettext_lazy("Voucher number"),
        max_length=adjustments.VOUCHER_MAX,
        help_text=gettext_lazy("The number of the paper. It is booked once."),
    )
    effective_date = forms.DateField(
        label=gettext_lazy("Date"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("The day that it falls on, in a period that is open."),
    )
    description = forms.CharField(label=gettext_lazy("Description"), max_length=adjustments.DESCRIPTION_MAX)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=adjustments.REASON_MIN,
        max_length=adjustments.REASON_MAX,
        help_text=gettext_lazy("Why it is booked by hand. Whoever decides reads it."),
        error_messages={"min_length": gettext_lazy("Say why in %(limit_value)d characters or more.")},
    )
    cost_centre = forms.CharField(
        label=gettext_lazy("Cost centre"), max_length=adjustments.COST_CENTRE_MAX, required=False
    )
    dimensions = forms.CharField(
        label=gettext_lazy("Dimensions"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("One a line, as project: Westlands."),
    )

    def __init__(self, *args: Any, **facts: Any) -> None:
        super().__init__(*args, **facts)
        for name in self.fields:
            dialogs.dress(self, name)

    def clean_dimensions(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["dimensions"].splitlines()):
            pair = PAIR.fullmatch(line)
            if pair is None:
                raise forms.ValidationError(_("Write one a line, as project: Westlands."))
            if pair[1] in found:
                raise forms.ValidationError(_("“%(name)s” is named twice.") % {"name": pair[1]})
            found[pair[1]] = pair[2]
        return found


class Known:
    """The accounts that the lines of a form name by code or by name, within a person's branches: one query."""

    def __init__(self, texts: Iterable[str], person: scope.Person) -> None:
        wanted = {text.strip() for text in texts if text.strip()}
        codes = {text.partition(" ")[0] for text in wanted}
        within = accounts.within(scope.own_branch_ids(person))
        self.by_code = {account.code: account for account in within.filter(code__in=codes)}
        self.by_name: dict[str, list[Any]] = {}
        for account in within.filter(name__in=wanted):
            self.by_name.setdefault(account.name, []).append(account)

    def find(self, text: str) -> Any:
        """Return the account that a text means; raise ValidationError where it means none, or several."""
        account = self.by_code.get(text.partition(" ")[0])
        if account is not None:
            return account
        named = self.by_name.get(text, [])
        if not named:
            raise forms.ValidationError(_("There is no account “%(text)s”.") % {"text": text})
        if len(named) > 1:
            codes = ", ".join(account.code for account in named[:5])
            raise forms.ValidationError(
                _("Several are called so: write the code, %(codes)s.") % {"codes": codes}
            )
        return named[0]


class LineForm(forms.Form):
    """One side: an account, its currency, and the sum in one of two columns."""

    account = forms.CharField(label=gettext_lazy("Account"), max_length=200)
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=8, required=False)
    debit = forms.CharField(label=gettext_lazy("Debit"), max_length=60, required=False)
    credit = forms.CharField(label=gettext_lazy("Credit"), max_length=60, required=False)

    def __init__(self, *args: Any, known: Known, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self.known = known
        for name, field in self.fields.items():
            field.widget.attrs |= {"class": "t-input", "autocomplete": "off"}
            field.widget.attrs |= {
                "aria-label": str(field.label),
                "aria-describedby": f"wrong_{self.add_prefix(name)}",
            }
        self.fields["account"].widget.attrs["list"] = "accounts"
        for side in ("debit", "credit"):
            self.fields[side].widget.attrs |= {"inputmode": "decimal", "class": "t-input t-num"}

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        account = self._account(data.get("account", ""))
        if account is None:
            return data
        currency = data.get("currency", "").upper()
        if currency and currency != account.currency:
            self.add_error(
                "currency",
                _("%(account)s is kept in %(currency)s.")
                % {"account": account, "currency": account.currency},
            )
        debit, credit = data.get("debit", ""), data.get("credit", "")
        if debit and credit:
            self.add_error("credit", _("Write a debit or a credit, not both."))
        elif not debit and not credit:
            self.add_error("debit", _("Write a debit or a credit."))
        else:
            self._sum(account, "debit" if debit else "credit")
        return data

    def _account(self, text: str) -> Any:
        if not text:
            return None
        try:
            return self.known.find(text)
        except forms.ValidationError as refusal:
            self.add_error("account", refusal)
            return None

    def _sum(self, account: Any, side: str) -> None:
        try:
            sum_ = typed_money(self.cleaned_data[side], account.currency)
        except forms.ValidationError as refusal:
            self.add_error(side, refusal)
            return
        direction = Direction.DEBIT if side == "debit" else Direction.CREDIT
        self.cleaned_data["line"] = JournalLine(account.uid, direction, sum_)


class LineForms(BaseFormSet):
    """As many lines as are on the page; one in which nothing is written counts for nothing."""

    def initial_form_count(self) -> int:
        return 0


LINES = formset_factory(
    LineForm, formset=LineForms, max_num=LINES_MAX, absolute_max=LINES_MAX, validate_max=True
)


class TypedJournal:
    """
    A journal on its way: nothing typed, taken from another one, or sent.

    ``problems`` are about the lines together. ``is_judged``: what is wrong is shown.
    """

    def __init__(
        self, person: scope.Person, *, data: QueryDict | None = None, start: Mapping[str, Any] | None = None
    ) -> None:
        self.problems: list[str] = []
        self.is_judged = data is not None
        if data is not None:
            texts = [
                data.get(name, "")
                for name in data
                if name.startswith(f"{PREFIX}-") and name.endswith("-account")
            ]
            self.head = HeadForm(data)
            self.lines = LINES(data, prefix=PREFIX, form_kwargs={"known": Known(texts, person)})
            return
        typed = dict(start or {})
        rows = list(typed.pop(PREFIX, ()))
        self.head = HeadForm(initial=typed)
        self.lines = LINES(initial=rows, prefix=PREFIX, form_kwargs={"known": Known((), person)})
        self.lines.extra = min(max(LINES_FIRST, len(rows)), LINES_MAX)

    @classmethod
    def longer(cls, person: scope.Person, data: MultiValueDict[str, str]) -> "TypedJournal":
        """Return what was typed with more lines below it; nothing is judged yet."""
        count = _count(data)
        rows = [
            {name: data.get(f"{PREFIX}-{place}-{name}", "") for name in LineForm.base_fields}
            for place in range(count)
        ]
        typed = cls(
            person, start={**{name: data.get(name, "") for name in HeadForm.base_fields}, PREFIX: rows}
        )
        typed.lines.extra = min(count + LINES_MORE, LINES_MAX)
        return typed

    def journal(self) -> NewJournal | None:
        """Return what was typed where every field can be read; None where one cannot, which then says why."""
        are_read = [self.head.is_valid(), self.lines.is_valid()]
        self.problems += [str(problem) for problem in self.lines.non_form_errors()]
        written = self._written()
        if all(are_read) and not written:
            self.problems.append(_("Write at least two lines: a debit and a credit."))
        if not all(are_read) or not written:
            return None
        said = self.head.cleaned_data
        return NewJournal(
            voucher=said["voucher"],
            description=said["description"],
            reason=said["reason"],
            effective_date=said["effective_date"],
            cost_centre=said["cost_centre"],
            dimensions=said["dimensions"],
            lines=[form.cleaned_data["line"] for form in written],
        )

    def place(self, refusal: errors.DomainError) -> None:
        """Put a refusal of the service beside the fields that it is about, as far as there are such."""
        written = self._written()
        for wrong in refusal.errors or [errors.FieldError("", refusal.code, refusal.detail)]:
            name, _sep, rest = wrong.pointer.lstrip("/").partition("/")
            place, _sep, field = rest.partition("/")
            if name in self.head.fields:
                self.head.add_error(name, wrong.message)
            elif name == PREFIX and place.isdecimal() and int(place) < len(written):
                form = written[int(place)]
                form.add_error(field if field in form.fields else _side(form), wrong.message)
            else:
                self.problems.append(wrong.message)

    @property
    def faults(self) -> list[tuple[str, str, str]]:
        """Everything that is wrong, from top to bottom: the id of the field, its name, and the words."""
        if not self.is_judged:
            return []
        found = [("journal-lines", "", problem) for problem in self.problems]
        forms_ = [(self.head, ""), *((form, str(number)) for number, form in enumerate(self.lines.forms, 1))]
        for form, number in forms_:
            for name, words in form.errors.items():
                label = str(form.fields[name].label) if name in form.fields else ""
                where = (
                    _("%(field)s, line %(number)s") % {"field": label, "number": number} if number else label
                )
                found += [(f"id_{form.add_prefix(name)}", where, str(word)) for word in words]
        return found

    def _written(self) -> list[LineForm]:
        return [
            form for form in self.lines.forms if form.is_bound and "line" in getattr(form, "cleaned_data", {})
        ]


def _side(form: LineForm) -> str:
    return "debit" if form.cleaned_data.get("debit") else "credit"


def _count(data: MultiValueDict[str, str]) -> int:
    text = str(data.get(f"{PREFIX}-TOTAL_FORMS", ""))
    return (
        min(int(text), LINES_MAX)
        if text.isascii() and text.isdecimal() and len(text) < len("1000")
        else LINES_FIRST
    )
