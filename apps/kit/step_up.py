"""Proving oneself again before a deed over money: what is asked for, and where; how a person proves himself is the setting's."""

from typing import Protocol

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string

from apps.kit import errors

FIELD = "proof"
HIDDEN = {FIELD, "csrfmiddlewaretoken"}


class StepUp(Protocol):
    """What one request knows of its person's last proof; the class is named in TREASURY["STEP_UP"]."""

    def is_needed(self) -> bool:
        """Whether the last proof in this session is too old, or there was none."""

    def field(self) -> forms.Field:
        """Return what to ask for: a code, or the password of who has no second factor."""

    def take(self, typed: str) -> None:
        """Take a proof and remember it for some minutes; raise a DomainError, the same for every wrong one."""


def of(request: HttpRequest) -> StepUp:
    step: StepUp = import_string(settings.TREASURY["STEP_UP"])(request)
    return step


def ask_into(form: forms.Form, step: StepUp) -> None:
    """Add the question for a proof to a form, where one is needed."""
    if step.is_needed():
        form.fields[FIELD] = step.field()


def take_from(form: forms.Form, step: StepUp) -> bool:
    """
    Take the proof that a valid form brought, if it was asked for, and say whether it goes on.

    The question is gone from the form afterwards: whatever else is wrong, the proof stands.
    """
    if FIELD not in form.fields:
        return True
    try:
        step.take(form.cleaned_data.pop(FIELD))
    except errors.DomainError as refusal:
        form.add_error(FIELD, refusal.detail)
        return False
    del form.fields[FIELD]
    return True


def question(request: HttpRequest) -> forms.Form:
    """Return a form that asks for a proof, with the answer if one was sent; it asks nothing where none is needed."""
    form = forms.Form(request.POST if FIELD in request.POST else None)
    ask_into(form, of(request))
    return form


def is_answered(form: forms.Form, request: HttpRequest) -> bool:
    """Take the proof that the form of ``question`` brought, and say whether it goes on."""
    return FIELD not in form.fields or (form.is_valid() and take_from(form, of(request)))


def hold_up(request: HttpRequest, site: AdminSite) -> HttpResponse | None:
    """
    Ask who sends a form for a proof, on a page that carries along what he typed; None when the form may go on.

    For forms without files: those do not travel twice.
    """
    form = question(request)
    if is_answered(form, request):
        return None
    typed = [
        (name, text) for name in request.POST if name not in HIDDEN for text in request.POST.getlist(name)
    ]
    facts = {**site.each_context(request), "form": form, "typed": typed}
    return render(request, "access/step_up.html", facts, status=422 if form.is_bound else 200)
