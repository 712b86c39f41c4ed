"""Find anything: recognises identifiers, receipts, references and ledger numbers; what is no such thing finds nothing."""

from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from apps.portal.selectors import search


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """Return what the term names, within what this person may see. Unfold hands the term over in lower case."""
    found = []
    if request.user.has_perm("payments.view"):
        found += [
            SearchResult(
                title=hit.label,
                description=hit.kind,
                link=reverse("portal-payment", args=[hit.id]),
                icon="payments",
            )
            for hit in search.payments(term, request.user)
        ]
    if request.user.has_perm("ledger.view"):
        found += [
            SearchResult(
                title=hit.label,
                description=hit.kind,
                link=reverse("portal-transaction", args=[hit.id]),
                icon="account_tree",
            )
            for hit in search.transactions(term, request.user)
        ]
    return found
