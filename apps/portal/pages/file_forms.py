"""Tables that people send with a form: looked at first, and sent again as they were shown, with every problem beside the file."""

import base64
import binascii

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.kit import errors

BYTES_MAX = 700_000
"""What was shown travels with the form as base64, which holds 1 MiB in all; a larger one is taken over by command."""
PROBLEMS = 20
"""So many problems of a file are shown at once."""
CARRIED = "content"


def read(request: HttpRequest, form: forms.Form, name: str) -> bytes:
    """Return the file that was chosen now, else the one that was shown; for one that is too large nothing, and the form says so."""
    content = _read(request, name)
    if not content:
        form.add_error(name, _("Choose a file of 700 kB at most."))
    return content


def carried(content: bytes) -> str:
    """Return the file as it travels with the form that shows it."""
    return base64.b64encode(content).decode()


def tell(form: forms.Form, name: str, refusal: errors.DomainError) -> None:
    """Say what a service refuses beside the field that it is about; what is about rows, or no field of the form, at the file."""
    for wrong in refusal.errors[:PROBLEMS]:
        field = wrong.pointer.lstrip("/").partition("/")[0]
        form.add_error(field if field in form.fields else name, wrong.message)
    if not refusal.errors:
        form.add_error(name, refusal.detail)
    if (more := len(refusal.errors) - PROBLEMS) > 0:
        form.add_error(name, _("And %(count)d more.") % {"count": more})


def _read(request: HttpRequest, name: str) -> bytes:
    chosen = request.FILES.get(name)
    if chosen is not None:
        content: bytes = chosen.read(BYTES_MAX + 1)
        return content if len(content) <= BYTES_MAX else b""
    try:
        return base64.b64decode(request.POST.get(CARRIED, ""), validate=True)
    except (binascii.Error, ValueError):
        return b""
