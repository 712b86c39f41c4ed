"""The page that asks for opening balances from a file: what would be booked is shown first, and asked for as it was shown."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors import scope
from apps.kit import clock, dialogs, errors, step_up, typed_cards
from apps.kit.actors import person
from apps.ledger.selectors import books
from apps.ledger.services import adjustments, opening_balances
from apps.ledger.services.adjustments import NewJournal
from apps.portal.pages import file_forms, frame
from apps.portal.selectors import handwritten

PERMISSION = "ledger.adjust"
FILE = "balances"
SEND = "send"
UNREADABLE = 422


class OpeningForm(typed_cards.Refusing, forms.Form):
    """The file, and what its one transaction says of itself."""

    balances = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV (UTF-8) or XLSX, 700 kB at most, with the columns account, currency, debit and credit. "
            "Sums are written as 1234.50."
        ),
        required=False,
    )
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
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=adjustments.REASON_MIN,
        max_length=adjustments.REASON_MAX,
        help_text=gettext_lazy("Why it is booked by hand. Whoever decides reads it."),
    )

    def __init__(self, *given: Any, **facts: Any) -> None:
        super().__init__(*given, **facts)
        for name in self.fields:
            dialogs.dress(self, name)


@frame.form_page(PERMISSION)
def show(request: HttpRequest) -> HttpResponse:
    """Show the form; with a file what would be booked, and with "send" ask other people for exactly that."""
    if request.method != "POST":
        return _form(request, OpeningForm(initial={"effective_date": books.today(clock.now())}))
    form = OpeningForm(request.POST, request.FILES)
    content = file_forms.read(request, form, FILE)
    if not form.is_valid():
        return _form(request, form, content=content, status=UNREADABLE)
    try:
        journal = opening_balances.journal(content=content, **_facts(request, form))
        adjustments.check(journal=journal, now=clock.now(), within=scope.own_branch_ids(request.user))
        return _sent(request, form, content, journal)
    except errors.DomainError as refusal:
        file_forms.tell(form, FILE, refusal)
        return _form(request, form, content=content, status=refusal.status)


def _facts(request: HttpRequest, form: OpeningForm) -> dict[str, Any]:
    facts = {name: form.cleaned_data[name] for name in ("voucher", "reason", "effective_date")}
    return {**facts, "within": scope.own_branch_ids(request.user)}


def _sent(request: HttpRequest, form: OpeningForm, content: bytes, journal: NewJournal) -> HttpResponse:
    """Ask for balances that were shown exactly so before; show them first where they were not."""
    is_sent = request.POST.get("do") == SEND
    proof = step_up.question(request)
    if not is_sent or request.POST.get("shown") != adjustments.fingerprint(journal):
        return _form(request, form, content=content, journal=journal, proof=proof, is_changed=is_sent)
    if not step_up.is_answered(proof, request):
        return _form(request, form, content=content, journal=journal, proof=proof, status=UNREADABLE)
    opening_balances.ask(
        content=content, actor=person(request.user.pk), now=clock.now(), **_facts(request, form)
    )
    messages.success(
        request, _("%(voucher)s asked for; another person decides.") % {"voucher": journal.voucher}
    )
    return HttpResponseRedirect(reverse("portal-journal", args=[adjustments.subject_of(journal.voucher)]))


def _form(
    request: HttpRequest,
    form: OpeningForm,
    *,
    content: bytes = b"",
    journal: NewJournal | None = None,
    proof: forms.Form | None = None,
    is_changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    form.fields[FILE].required = not content
    return frame.render(
        request,
        "portal/opening_balances.html",
        title=_("Opening balances"),
        crumbs=[frame.Crumb(_("Journals"), reverse("portal-journals"))],
        status=status,
        form=form,
        content=file_forms.carried(content),
        planned=handwritten.planned_journal(journal, request.user) if journal else None,
        shown=adjustments.fingerprint(journal) if journal else "",
        proof=proof,
        is_changed=is_changed,
    )


urlpatterns = [path("ledger/journals/opening-balances/", show, name="portal-opening-balances")]
