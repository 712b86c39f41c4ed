"""Journals that people write by hand: the list, one of them with its papers, and the form that asks for it."""

from collections.abc import Sequence
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from apps.access.selectors import scope
from apps.kit import clock, errors, step_up, storage
from apps.kit.actors import person
from apps.ledger.selectors import books
from apps.ledger.services import adjustments, papers
from apps.ledger.services.adjustments import NewJournal
from apps.ledger.services.papers import PaperInvalid, TooManyPapers
from apps.portal.pages import frame
from apps.portal.pages.journal_forms import TypedJournal
from apps.portal.selectors import handwritten, journals
from apps.portal.services import downloads

PERMISSION = "ledger.view"
ASK = "ledger.adjust"
ADD, SEND = "add", "send"
UNREADABLE = 422
TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}


@frame.page(PERMISSION)
def index(request: HttpRequest) -> HttpResponse:
    tab = request.GET.get("view", "all")
    tab = tab if tab in journals.TABS else "all"
    shown, pages = frame.keyset(request, journals.rows(request.user, tab))
    counts = journals.counts(request.user)
    return frame.render(
        request,
        "portal/journals.html",
        title=_("Journals"),
        views=[
            frame.Tab(str(title), counts[name], f"?view={name}", name == tab)
            for name, title in journals.TABS.items()
        ],
        chosen=tab,
        lines=journals.lines(shown),
        pages=pages,
        may_ask=request.user.has_perm(ASK),
    )


@frame.page(PERMISSION)
def show(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    return _shown(request, subject_id)


@frame.form_page(ASK)
def write(request: HttpRequest) -> HttpResponse:
    """Show the form; with "add" show more lines, with "preview" what will be booked, with "send" ask for exactly that."""
    if request.method != "POST":
        return _form(request, TypedJournal(request.user, start=_start(request)))
    if request.POST.get("do") == ADD:
        return _form(request, TypedJournal.longer(request.user, request.POST))
    typed = TypedJournal(request.user, data=request.POST)
    journal = typed.journal()
    return _form(request, typed, status=UNREADABLE) if journal is None else _sent(request, typed, journal)


@frame.form_page(ASK)
def attach(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    """Keep papers of a journal that was asked for."""
    shown = journals.page(subject_id, request.user)
    files = request.FILES.getlist("papers")
    if request.method != "POST":
        return _shown(request, subject_id)
    if not files:
        return _shown(request, subject_id, wrong=_("Choose a file."), status=UNREADABLE)
    try:
        contents = _contents(files)
        _keep(request, shown.line.voucher, contents)
    except (PaperInvalid, TooManyPapers, storage.StorageUnavailable) as refusal:
        return _shown(request, subject_id, wrong=refusal.detail, status=refusal.status)
    return HttpResponseRedirect(reverse("portal-journal", args=[subject_id]))


@frame.page(PERMISSION)
def paper(request: HttpRequest, subject_id: UUID, file_id: UUID) -> HttpResponse:
    """Give a paper out as it was attached, always as a download."""
    found = journals.paper(subject_id, file_id, request.user)
    if found is None:
        raise errors.NotFound("There is no such paper.")
    downloads.record(
        what="journal_paper",
        object_id=str(found.id),
        reader=request.user,
        now=clock.now(),
        name=found.name,
        sha256=found.sha256,
    )
    disposition = content_disposition_header(as_attachment=True, filename=found.name) or "attachment"
    return HttpResponse(
        papers.read(found.id),
        content_type=TYPES[found.name.rpartition(".")[2]],
        headers={"Content-Disposition": disposition, "ETag": f'"{found.sha256}"'},
    )


def _start(request: HttpRequest) -> dict[str, object]:
    """Return what a new journal begins with: today, or all of one that is asked for again under a voucher."""
    try:
        return journals.typed(UUID(request.GET.get("again", "")), request.user)
    except (ValueError, errors.NotFound):
        return {"effective_date": books.today(clock.now())}


def _sent(request: HttpRequest, typed: TypedJournal, journal: NewJournal) -> HttpResponse:
    """Ask for a journal that was shown exactly so before; show it first where it was not."""
    try:
        adjustments.check(journal=journal, now=clock.now(), within=scope.own_branch_ids(request.user))
    except errors.DomainError as refusal:
        typed.place(refusal)
        return _form(request, typed, status=refusal.status)
    is_sent = request.POST.get("do") == SEND
    if not is_sent or request.POST.get("shown") != adjustments.fingerprint(journal):
        return _form(request, typed, journal=journal, is_changed=is_sent)
    proof = step_up.question(request)
    if not step_up.is_answered(proof, request):
        return _form(request, typed, journal=journal, proof=proof, status=UNREADABLE)
    return _ask(request, typed, journal)


def _ask(request: HttpRequest, typed: TypedJournal, journal: NewJournal) -> HttpResponse:
    try:
        contents = _contents(request.FILES.getlist("papers"))
        adjustments.ask(
            journal=journal,
            actor=person(request.user.pk),
            now=clock.now(),
            within=scope.own_branch_ids(request.user),
        )
    except PaperInvalid as refusal:
        return _form(request, typed, journal=journal, wrong_paper=refusal.detail, status=refusal.status)
    except errors.DomainError as refusal:
        typed.place(refusal)
        return _form(request, typed, status=refusal.status)
    messages.success(
        request, _("%(voucher)s asked for; another person decides.") % {"voucher": journal.voucher}
    )
    try:
        _keep(request, journal.voucher, contents)
    except (TooManyPapers, storage.StorageUnavailable) as refusal:
        messages.error(
            request, _("Not every paper was kept: %(why)s Attach it again.") % {"why": refusal.detail}
        )
    return HttpResponseRedirect(reverse("portal-journal", args=[adjustments.subject_of(journal.voucher)]))


def _contents(files: Sequence[UploadedFile]) -> list[bytes]:
    """Return the bytes of the files that were sent; raise PaperInvalid for one that is no paper, TooManyPapers for too many."""
    if len(files) > papers.PAPERS_MAX:
        raise TooManyPapers(f"A voucher has {papers.PAPERS_MAX} papers at most.")
    contents = [file.read(papers.BYTES_MAX + 1) for file in files]
    for content in contents:
        papers.require_paper(content)
    return contents


def _keep(request: HttpRequest, voucher: str, contents: Sequence[bytes]) -> None:
    for content in contents:
        papers.attach(voucher=voucher, content=content, actor=person(request.user.pk), now=clock.now())


def _shown(request: HttpRequest, subject_id: UUID, *, wrong: str = "", status: int = 200) -> HttpResponse:
    shown = journals.page(subject_id, request.user)
    return frame.render(
        request,
        "portal/journal.html",
        title=shown.line.voucher,
        crumbs=[frame.Crumb(_("Journals"), reverse("portal-journals"))],
        status=status,
        journal=shown,
        line=shown.line,
        may_ask=request.user.has_perm(ASK),
        sees_approvals=request.user.has_perm("approvals.view"),
        wrong=wrong,
    )


def _form(
    request: HttpRequest,
    typed: TypedJournal,
    *,
    journal: NewJournal | None = None,
    is_changed: bool = False,
    wrong_paper: str = "",
    proof: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    return frame.render(
        request,
        "portal/journal_form.html",
        title=_("New journal"),
        crumbs=[frame.Crumb(_("Journals"), reverse("portal-journals"))],
        status=status,
        typed=typed,
        choices=journals.choices(request.user),
        planned=handwritten.planned_journal(journal, request.user) if journal else None,
        shown=adjustments.fingerprint(journal) if journal else "",
        is_changed=is_changed,
        wrong_paper=wrong_paper,
        proof=proof or (step_up.question(request) if journal else None),
    )


urlpatterns = [
    path("ledger/journals/", index, name="portal-journals"),
    path("ledger/journals/new/", write, name="portal-journal-new"),
    path("ledger/journals/<uuid:subject_id>/", show, name="portal-journal"),
    path("ledger/journals/<uuid:subject_id>/papers/", attach, name="portal-journal-papers"),
    path("ledger/journals/<uuid:subject_id>/papers/<uuid:file_id>", paper, name="portal-journal-paper"),
]
