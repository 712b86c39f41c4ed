"""Filter created: the dates of the payments list."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.utils import timezone

from apps.payments.admin import CreatedFilter
from apps.payments.models import PaymentIntent
from tests.factories import payments as factory


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"created_at_from": "2026-11-24", "created_at_to": "2026-11-24"}, 1),
        ({"created_at_from": "2026-11-25"}, 0),
        ({"created_at_to": "2026-11-23"}, 0),
        ({"created_at_from": "nonsense"}, 1),
        ({}, 1),
    ],
)
def test_takes_in_the_whole_of_the_last_day(acme, params, found):
    factory.intent(now=datetime(2026, 11, 24, 20, 59, tzinfo=UTC))
    field = PaymentIntent._meta.get_field("created_at")
    given = {name: [value] for name, value in params.items()}
    chosen = CreatedFilter(
        field,
        RequestFactory().get("/"),
        given,
        PaymentIntent,
        SimpleNamespace(admin_site=admin.site),
        "created_at",
    )

    with timezone.override("Africa/Nairobi"):
        rows = chosen.queryset(RequestFactory().get("/"), PaymentIntent.objects.all())

    assert rows.count() == found
