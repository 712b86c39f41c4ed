"""Exports of lists: each list that can be exported is so with each of its filters, and from a saved view."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import reverse
from unfold.contrib.filters.admin import RangeDateFilter

from apps.jobs.contracts import SOURCES, FileFormat
from apps.jobs.dialogs import ExportList, from_list
from apps.jobs.models import Job
from apps.kit import ids, list_views
from tests.dialogs import open_at, send
from tests.factories import access

REFUSED = "This list cannot be exported as it is filtered"
LISTS = {
    dialog.source: model_admin
    for model_admin in admin.site._registry.values()
    for dialog in getattr(model_admin, "dialogs", ())
    if issubclass(dialog, ExportList)
}


def address(source: str, query: str = "") -> str:
    name = LISTS[source].opts.label_lower.replace(".", "_")
    return reverse(f"admin:{name}_export_list") + (f"?{query}" if query else "")


def queries(source: str, person) -> list[str]:
    """Return what the address of a list can say: each filter with its values, search, views, pages and presets."""
    model_admin = LISTS[source]
    request = RequestFactory().get("/")
    request.user = person
    found = [query for _title, query in model_admin.presets(request)]
    for item in model_admin.get_list_filter(request):
        field, kind = item if isinstance(item, tuple) else (None, item)
        if issubclass(kind, RangeDateFilter):
            found += [f"{field}_from=2026-11-24", f"{field}_to=2026-11-24"]
            continue
        chosen = kind(request, {}, model_admin.model, model_admin)
        found += [urlencode({kind.parameter_name: value}) for value, _word in chosen.lookup_choices]
    if model_admin.search_fields:
        found.append("q=NLJ7RT61SV")
    return [*found, *(f"{name}={ids.new()}" for name in list_views.NOT_KEPT), "o=-1"]


def test_every_list_of_a_source_leads_to_its_export():
    assert {*LISTS} | {"ledger_entries"} == {name for name in SOURCES if not name.startswith("test_")}


@pytest.mark.parametrize("source", sorted(LISTS))
def test_a_list_is_exported_with_each_of_its_filters(acme, enter, in_organisation, source):
    access.head_office()
    client = enter("owner")
    person = access.user("amina@example.test")
    asked = queries(source, person)
    assert len(asked) > len(list_views.NOT_KEPT)

    for query in asked:
        response = open_at(client, address(source, query))

        assert response.status_code == 200, query
        assert REFUSED not in response.content.decode(), query
    assert REFUSED in open_at(client, address(source, "secret=1")).content.decode()


@pytest.mark.parametrize("source", sorted(LISTS))
def test_a_saved_view_with_columns_is_exported_as_it_filters(acme, enter, in_organisation, source):
    access.head_office()
    access.portal()
    client = enter("owner")
    model_admin = LISTS[source]
    label = model_admin.opts.label_lower
    query = next(iter(queries(source, access.user("amina@example.test"))))
    saved = send(client, reverse("portal-save-view", args=[label]) + f"?{query}", name="Mine")
    place = saved.headers["HX-Redirect"].partition("?")[2]
    send(client, reverse("portal-columns", args=[label]) + f"?{place}", columns=model_admin.list_display[:1])
    in_organisation("acme")

    answer = send(client, address(source, place), file_format=FileFormat.CSV)

    assert answer.status_code == 204
    in_organisation("acme")
    plain = from_list(SOURCES[source], QueryDict(query))
    started = Job.objects.get().parameters
    assert started["choices"] == {name: list(values) for name, values in plain.choices.items()}
    assert started["search"] == plain.search


def test_no_export_searches_for_the_number_of_a_card(acme, enter):
    access.head_office()
    client = enter("owner")
    source = next(name for name, model_admin in sorted(LISTS.items()) if model_admin.search_fields)

    answer = open_at(client, address(source, urlencode({"q": "4242 4242 4242 4242"})))
    html = answer.content.decode()

    assert REFUSED in html
    assert "This holds the number of a card." in html
