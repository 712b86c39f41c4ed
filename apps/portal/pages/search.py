"""Find anything: recognises identifiers, receipts, references, phones, names and ledger numbers, and pages by their name."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.dataclasses import SearchResult

from apps.access.selectors.scope import Principal
from apps.portal.contracts import Target
from apps.portal.pages import frame, menu
from apps.portal.selectors import search

TERM_MAX = 120


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row: who may find it, how, what people call it, and the page of one by its id."""

    permission: str
    find: Callable[[str, Principal], list[Target]]
    word: Any
    icon: str
    page: str


KINDS = (
    Kind("payments.view", search.payments, gettext_lazy("payment"), "payments", "portal-payment"),
    Kind("payments.view", search.refunds, gettext_lazy("refund"), "undo", "portal-payment"),
    Kind(
        "payments.view",
        search.suspense,
        gettext_lazy("money in suspense"),
        "inbox_customize",
        "admin:payments_inboundreceipt_change",
    ),
    Kind(
        "ledger.view",
        search.transactions,
        gettext_lazy("ledger transaction"),
        "account_tree",
        "portal-transaction",
    ),
    Kind("approvals.view", search.approvals, gettext_lazy("approval"), "approval", "portal-approval"),
    Kind("parties.view", search.parties, gettext_lazy("party"), "badge", "admin:parties_party_change"),
)


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
    for kind in KINDS:
        if request.user.has_perm(kind.permission):
            found += [
                SearchResult(
                    title=hit.label,
                    description=str(kind.word),
                    link=reverse(kind.page, args=[hit.id]),
                    icon=kind.icon,
                )
                for hit in kind.find(term, request.user)
            ]
    return found
