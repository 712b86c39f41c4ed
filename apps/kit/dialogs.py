"""Actions that ask before they act: what the dialog says, what it asks for, and one service call when it is sent."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit import clock, errors, ids, problems, step_up, typed_cards
from apps.kit.actors import Actor, person
from apps.kit.money import Money
from apps.kit.typed_fields import TypedMoney, TypedText

MANY = 50
REASON_MIN, REASON_MAX = 5, 200
TYPED_MONEY, TYPED_TEXT = "typed_money", "typed_text"
SHOWN, NONCE = "shown", "nonce"


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning to read first; tones are those of badges: failed, held, unknown, pending."""

    title: str
    text: str = ""
    tone: str = "held"
    icon: str = "warning"


@dataclass(frozen=True, slots=True)
class Effect:
    """
    One line of what it does: before, the change, after.

    ``is_live`` marks what moves by itself (a balance): it may differ when the dialog is sent.
    """

    label: str
    value: Money | str
    is_result: bool = False
    is_live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """
    What a dialog says, built anew when it is opened and when it is sent: if the two differ, nothing is done.

    ``title`` names the deed and its object, ``button`` the deed and the amount, ``next_step`` what follows and whether
    it can be recalled. ``typed_money`` and ``typed_text`` are to be typed by hand before the button works.
    ``version`` adds what the decision rests on but nobody needs to read: a state, a hash, a counter.
    """

    title: str
    button: str
    money: Money | None = None
    about: str = ""
    notices: Sequence[Notice] = ()
    effects: Sequence[Effect] = ()
    next_step: str = ""
    typed_money: Money | None = None
    typed_text: str = ""
    version: str = ""

    def fingerprint(self, rows: Iterable[Any]) -> str:
        """Return the hash of what the person decides upon."""
        decided = [
            [str(getattr(row, "pk", None) or row.id) for row in rows],
            [self.title, self.about, str(self.money or ""), self.typed_text, str(self.typed_money or ""), self.version],
            [[notice.title, notice.text] for notice in self.notices],
            [[effect.label, str(effect.value)] for effect in self.effects if not effect.is_live],
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(decided).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was sent: the fields, who sent it and when; ``nonce`` is the same however often one dialog is sent."""

    request: HttpRequest
    data: Mapping[str, Any]
    actor: Actor
    now: datetime
    nonce: UUID


@dataclass(frozen=True, slots=True)
class Button:
    """What opens a dialog; with ``why_not`` it is greyed, and the dialog says no more than that."""

    label: Any
    icon: str
    url: str
    is_danger: bool = False
    why_not: str = ""


def button(request: HttpRequest, kind: type["Dialog"], row: Any, url: str) -> list[Button]:
    """Return the button of a dialog for a page of our own, or none where it is not offered to this person."""
    if not request.user.has_perm(kind.permission) or not kind().is_offered(row):
        return []
    return [Button(kind.label, kind.icon, url, kind.is_danger, kind().hindrance(row))]


class ReasonForm(forms.Form):
    """Why, in a few words that the audit log keeps."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=REASON_MIN,
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"min_length": gettext_lazy("Say why in %(limit_value)d characters or more.")},
    )


class Dialog:
    """
    An action of the portal. Opening it only reads; sending it makes one service call for each row.

    ``name`` is its address, ``label`` its button ("Refund…"), ``permission`` what the person needs to open and to send
    it. It is offered on the page of a row, in the rows of a list, for selected rows or for the list as a whole.
    ``beside`` names other dialogs of the same admin that this one leads to ("Reject…"). With ``steps_up`` the person
    proves himself again when his last proof is older than some minutes: what moves money or opens doors.
    """

    name: ClassVar[str]
    label: ClassVar[Any]
    permission: ClassVar[str]
    icon: ClassVar[str] = ""
    is_danger: ClassVar[bool] = False
    on_page: ClassVar[bool] = True
    on_rows: ClassVar[bool] = False
    on_selection: ClassVar[bool] = False
    on_list: ClassVar[bool] = False
    steps_up: ClassVar[bool] = False
    beside: ClassVar[Sequence[str]] = ()
    form_class: ClassVar[type[forms.Form]] = forms.Form

    def is_offered(self, row: Any) -> bool:  # noqa: ARG002 (the answer of those that always are)
        """Whether the row is in a state for it; reads the row and nothing else."""
        return True

    def hindrance(self, row: Any) -> str:  # noqa: ARG002 (most have none)
        """Return what stands in the way of a row that is in the right state, in words for people; empty for nothing."""
        return ""

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:
        """Return what to say about the rows: one of them, several for a selection, none for a list."""
        raise NotImplementedError

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (for overriding)
        return self.form_class(data)

    def act(self, row: Any, answer: Answer) -> str:
        """Make the service call for one row and return what happened. A DomainError is shown where it belongs."""
        raise NotImplementedError

    def perform(self, rows: Sequence[Any], answer: Answer) -> list[str]:
        """
        Act on every row and return what happened to each.

        One row that is refused says so in the dialog; of several, the others are done and each refusal is told.
        """
        if len(rows) == 1:
            return [self.act(rows[0], answer)]
        said = []
        for row in rows:
            try:
                said.append(self.act(row, answer))
            except errors.DomainError as refusal:
                messages.error(answer.request, f"{row}: {refusal.detail}")
        return said

    def landing(self, request: HttpRequest, rows: Sequence[Any]) -> str:  # noqa: ARG002 (for overriding)
        """Return where to go afterwards; empty for the page that the dialog was opened on."""
        return ""


def told(error: Exception) -> errors.DomainError:
    """Return the refusal that an exception means; raise it where it is a defect."""
    refusal = problems.as_domain_error(error)
    if refusal is None:
        raise error
    return refusal


@dataclass
class Asked:
    """One request for a dialog: the same reading of rows and content for opening and for sending."""

    request: HttpRequest
    dialog: Dialog
    rows: list[Any]
    fallback: str
    beside: Sequence[Button]
    site: AdminSite

    @cached_property
    def content(self) -> Content:
        return self.dialog.content(self.request, self.rows)

    @cached_property
    def fingerprint(self) -> str:
        return self.content.fingerprint(self.rows)

    @cached_property
    def step(self) -> step_up.StepUp:
        return step_up.of(self.request)

    def respond(self) -> HttpResponse:
        """Answer GET with the dialog, and POST with the deed or the dialog and what is wrong."""
        if self.request.method != "POST":
            return self.show(self.form())
        form = self.form(self.request.POST)
        if self.request.POST.get(SHOWN) != self.fingerprint:
            form.errors.clear()
            form.add_error(None, _("It has changed since you opened it. Nothing was done: look at it again."))
            return self.show(form, status=409)
        if not form.is_valid() or not typed_cards.refuse(form) or not step_up.take_from(form, self.step):
            return self.show(form, status=422)
        try:
            said = self.dialog.perform(self.rows, self.answer(form))
        except (errors.DomainError, OperationalError) as error:
            refusal = told(error)
            place(refusal, form)
            return self.show(form, status=refusal.status)
        for sentence in said:
            messages.success(self.request, sentence)
        return self.leave()

    def form(self, data: Any = None) -> forms.Form:
        """Return the dialog's form with what is to be typed by hand, ready for our markup."""
        form = self.dialog.form(self.request, self.rows, data)
        if self.content.typed_money is not None:
            form.fields[TYPED_MONEY] = TypedMoney(self.content.typed_money)
        if self.content.typed_text:
            form.fields[TYPED_TEXT] = TypedText(self.content.typed_text)
        if self.dialog.steps_up:
            step_up.ask_into(form, self.step)
        for name in form.fields:
            dress(form, name)
        return form

    def answer(self, form: forms.Form) -> Answer:
        try:
            nonce = UUID(self.request.POST.get(NONCE, ""))
        except ValueError:
            nonce = ids.new()
        return Answer(self.request, form.cleaned_data, person(self.request.user.pk), clock.now(), nonce)

    def show(self, form: forms.Form, *, status: int = 200) -> HttpResponse:
        return fragment(
            self.request,
            "portal/dialog.html",
            site=self.site,
            status=status,
            title=self.content.title,
            dialog=self.dialog,
            content=self.content,
            form=form,
            shown=self.fingerprint,
            nonce=self.request.POST.get(NONCE, "") or ids.new(),
            beside=self.beside,
        )

    def leave(self) -> HttpResponse:
        url = self.dialog.landing(self.request, self.rows) or opened_on(self.request) or self.fallback
        if "HX-Request" in self.request.headers:
            return HttpResponse(status=204, headers={"HX-Redirect": url})
        return HttpResponseRedirect(url)


def refuse(request: HttpRequest, site: AdminSite, *, title: str, sentence: str, status: int) -> HttpResponse:
    """Answer with a dialog that only says why it cannot be done."""
    template = "portal/dialog_refusal.html"
    return fragment(request, template, site=site, status=status, title=title, sentence=sentence)


def refuse_stranger(
    request: HttpRequest, kind: Dialog | type[Dialog], site: AdminSite
) -> HttpResponse | None:
    """Answer who lacks the permission of a dialog, or return None; ask before anything is looked up for him."""
    if not kind.permission or request.user.has_perm(kind.permission):
        return None
    sentence = _("Your role may not do this. It needs the permission “%(name)s”.") % {"name": kind.permission}
    return refuse(request, site, title=_("Not allowed"), sentence=sentence, status=403)


def fragment(
    request: HttpRequest, template: str, *, site: AdminSite, status: int, **facts: Any
) -> HttpResponse:
    """Answer with what goes into the dialog; a browser that asks for it alone gets it as a page of its own."""
    if "HX-Request" in request.headers:
        response = render(request, template, facts, status=status)
    else:
        page = {**site.each_context(request), **facts, "inside": template}
        response = render(request, "portal/dialog_alone.html", page, status=status)
    response["Vary"] = "HX-Request"
    response["Cache-Control"] = "no-store"
    return response


def respond(
    request: HttpRequest,
    dialog: Dialog,
    rows: Sequence[Any],
    *,
    fallback: str,
    beside: Sequence[Button] = (),
    site: AdminSite = admin.site,
) -> HttpResponse:
    """
    Open or send a dialog about rows that the person may see; ``fallback`` is where he goes when nobody knows better.

    The permission is asked both times. Rows that are not in a state for it are left out; when none is left, that is
    said.
    """
    refused = refuse_stranger(request, dialog, site)
    if refused is not None:
        return refused
    if len(rows) > MANY:
        sentence = _("Choose %(many)d rows at most.") % {"many": MANY}
        return refuse(request, site, title=_("Too many"), sentence=sentence, status=422)
    offered = [row for row in rows if dialog.is_offered(row)]
    if not offered and not dialog.on_list:
        sentence = _(
            "It is not in a state for this, or it has changed since you opened the page. Nothing was done."
        )
        return refuse(request, site, title=_("Not possible now"), sentence=sentence, status=409)
    free = [row for row in offered if not dialog.hindrance(row)]
    if offered and not free:
        sentence = dialog.hindrance(offered[0])
        return refuse(request, site, title=_("Not possible now"), sentence=sentence, status=409)
    return Asked(request, dialog, free, fallback, beside, site).respond()


def place(refusal: errors.DomainError, form: forms.Form) -> None:
    """Put a refusal beside the fields that it is about, as far as the form has them."""
    if not refusal.errors:
        form.add_error(None, refusal.detail)
    for wrong in refusal.errors:
        name = wrong.pointer.lstrip("/").partition("/")[0]
        form.add_error(name if name in form.fields else None, wrong.message)


def dress(form: forms.Form, name: str) -> None:
    """Give a field's widget the look and the descriptions that the portal's markup expects."""
    widget = form.fields[name].widget
    if not isinstance(widget, (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)):
        widget.attrs["class"] = "t-input"
    widget.attrs["aria-describedby"] = f"help_{name} wrong_{name}"


def opened_on(request: HttpRequest) -> str:
    """Return the path of the page behind the dialog, if it is one of ours."""
    url = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(url, {request.get_host()}):
        return ""
    parts = urlsplit(url)
    if parts.path == request.path or parts.path.startswith("//"):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
