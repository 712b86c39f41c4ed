"""The reference of errors as a page: where the ``type`` of a problem leads."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from treasury.management.commands import list_errors


def errors(request: HttpRequest) -> HttpResponse:
    """Show every code with its status and meaning; each code is an anchor."""
    return render(request, "docs/errors.html", {"rows": _rows()})


@cache
def _rows() -> list[list_errors.Refusal]:
    rows = {row.code: row for row in [*list_errors.of_the_framework(), *list_errors.declared()]}
    return sorted(rows.values(), key=lambda row: row.code)
