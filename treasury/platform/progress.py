"""How far a new organisation is, as a card that asks for itself again until it is ready or has failed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.kit.admin import badge
from apps.tenancy.selectors import provisionings
from apps.tenancy.selectors.provisionings import Provisioning

TEMPLATE = "platform/provisioning.html"


@dataclass(frozen=True, slots=True)
class Line:
    """One step as the card shows it."""

    title: str
    sentence: str
    at: datetime | None
    badge: SafeString
    tone: str


def card(asked: Provisioning) -> SafeString:
    return render_to_string(TEMPLATE, _facts(asked))


def fragment(request: HttpRequest, asked: Provisioning) -> HttpResponse:
    """Answer with the card alone; once it has ended the whole page is asked for again."""
    response = render(request, TEMPLATE, _facts(asked))
    response["Cache-Control"] = "no-store"
    if not asked.is_live:
        response["HX-Refresh"] = "true"
    return response


def _facts(asked: Provisioning) -> dict[str, Any]:
    url = reverse("platform:tenancy_organisation_progress", args=[asked.organisation_id])
    return {"asked": asked, "lines": _lines(asked), "url": url}


def _lines(asked: Provisioning) -> list[Line]:
    words = {
        "asked": (_("Asked for"), _("Name, address and data key are recorded.")),
        "restored": (_("Schema"), _("Restored from the template, granted, and compared with it.")),
        "filled": (
            _("Content"),
            _("Chart of accounts, head office, roles, first approval rules, the owner's membership."),
        ),
        "ready": (_("Open"), _("The owner can sign in.")),
    }
    found = []
    is_next = True
    for step in provisionings.steps(asked):
        tone, mark = _state(asked, is_done=step.at is not None, is_next=is_next)
        is_next = is_next and step.at is not None
        title, sentence = words[step.name]
        found.append(Line(title, sentence, step.at, mark, tone))
    return found


def _state(asked: Provisioning, *, is_done: bool, is_next: bool) -> tuple[str, SafeString]:
    if is_done:
        return "done", badge("done", "check_circle", _("Done"))
    if not is_next:
        return "quiet", badge("quiet", "schedule", _("Waits"))
    if asked.failed_at is not None:
        return "failed", badge("failed", "error", _("Failed"))
    if asked.problem:
        return "held", badge("held", "refresh", _("Tries again"))
    return "pending", badge("pending", "hourglass_top", _("Under way"))
