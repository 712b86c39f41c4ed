"""docs/compliance/pci.md: no number of a card comes to us, by no field, no page and no text."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.forms import BaseForm
from rest_framework import serializers

from apps.kit.metadata import VALUE_LENGTH
from apps.kit.serializers import StrictSerializer
from treasury.management.commands import list_errors

ROOT = settings.BASE_DIR
PAGES = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/**/*.js"), *ROOT.glob("apps/*/templates/**/*")]
ELSEWHERE = re.compile(r"(js|m|checkout)\.stripe\.com|paypal\.com/sdk|paypalobjects", re.IGNORECASE)
OF_A_CARD = re.compile(r"(^|_)(pan|cvc|cvv|card_?number|security_code|expiry|exp_month|exp_year)($|_)")
OF_OAUTH = {"TokenIn", "RevocationIn"}
"""Bodies in which unknown parameters pass, as OAuth wants it; nothing of them is kept."""
VISA, AMEX, MASTERCARD = "4242 4242 4242 4242", "378282246310005", "5555-5555-5555-4444"


def below(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


class Body(StrictSerializer):
    note = serializers.CharField(max_length=VALUE_LENGTH)
    phone = serializers.CharField(required=False)
    metadata = serializers.DictField(child=serializers.CharField(), required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"note": f"my card is {VISA}, thanks"}, "note"),
        ({"note": AMEX}, "note"),
        ({"note": int(AMEX)}, "note"),
        ({"note": "x", "metadata": {"card": MASTERCARD}}, "metadata"),
        ({"note": "x", "metadata": {MASTERCARD: "x"}}, "metadata"),
        ({"note": "x", "tags": ["x", VISA]}, "tags"),
    ],
)
def test_the_number_of_a_card_is_refused_in_any_text(sent, field):
    body = Body(data=sent)

    assert not body.is_valid()
    assert {name: error.code for name, error in body.errors.items()} == {field: "card_number"}


@pytest.mark.parametrize(
    "sent",
    [
        {"note": "4242 4242 4242 4241"},
        {"note": "INV-2026-000000042"},
        {"note": "1699999999999"},
        {"note": "x", "phone": "+4242424242424242"},
        {"note": "9f0b8a4242424242424242aa"},
    ],
)
def test_what_is_none_passes(sent):
    assert Body(data=sent).is_valid()


def test_every_body_of_the_api_is_held_to_that_and_no_field_or_form_asks_for_a_card():
    assert len(list(list_errors.declared())) > 1  # imports every module of ours
    ours = [kind for kind in below(serializers.Serializer) if kind.__module__.startswith("apps.")]
    forms = [kind for kind in below(BaseForm) if kind.__module__.startswith(("apps.", "treasury."))]

    bodies = [kind for kind in ours if kind.__name__.endswith("In")]
    assert {kind.__name__ for kind in bodies if not issubclass(kind, StrictSerializer)} == OF_OAUTH
    names = {(kind, name) for kind in ours for name in kind._declared_fields}
    names |= {(kind, name) for kind in forms for name in getattr(kind, "base_fields", {})}
    assert [(kind, name) for kind, name in names if OF_A_CARD.search(name)] == []


def test_no_page_of_ours_loads_a_script_or_a_frame_of_a_provider():
    assert [
        path for path in PAGES if path.is_file() and ELSEWHERE.search(path.read_text(errors="replace"))
    ] == []
    for policy in (ROOT / "treasury/middleware.py", ROOT / "apps/invoicing/pages/pay.py"):
        assert "stripe" not in policy.read_text().lower()
