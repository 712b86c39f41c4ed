"""Find anything: recognises identifiers, receipts, references, phones and ledger numbers, and pages by their name."""

import time

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from apps.portal.pages import frame, menu
from apps.portal.selectors import search

TERM_MAX = 120


@frame.page("")
def show(request: HttpRequest) -> HttpResponse:
    """
    Answer the command dialog with what the term names, within what this person may see.

    It stands before Unfold's own view, which keeps results in the cache by user and term: a person of two
    organisations would be shown one's results in the other.
    """
    started = time.monotonic()
    term = request.GET.get("s", "").replace("\0", "").strip()[:TERM_MAX]
    if not term:
        return HttpResponse()
    found = Paginator(find(request, term), per_page=100)
    facts = {
        "search_term": term,
        "page_obj": found,
        "results": found.page(1),
        "page_counter": 0,
        "execution_time": time.monotonic() - started,
    }
    response = render(request, "unfold/helpers/command_results.html", facts)
    response["HX-Trigger"] = "search"
    return response


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    found = [
        SearchResult(title=str(entry["title"]), description=_("page"), link=entry["link"], icon=entry["icon"])
        for group in menu.navigation(request)
        for entry in group["items"]
        if term.lower() in str(entry["title"]).lower()
    ]
    if request.user.has_perm("payments.view"):
        found += [
            _result(hit.label, _("payment"), reverse("portal-payment", args=[hit.id]), "payments")
            for hit in search.payments(term, request.user)
        ]
    if request.user.has_perm("ledger.view"):
        found += [
            _result(
                hit.label,
                _("ledger transaction"),
                reverse("portal-transaction", args=[hit.id]),
                "account_tree",
            )
            for hit in search.transactions(term, request.user)
        ]
    return found


def _result(title: str, kind: str, link: str, icon: str) -> SearchResult:
    return SearchResult(title=title, description=kind, link=link, icon=icon)
