"""docs/errors.md is what the code declares."""

from django.conf import settings

from apps.integrations.contracts import provider_choices
from treasury.management.commands import list_errors

PATH = settings.BASE_DIR / "docs" / "errors.md"


def test_reference_lists_every_refusal():
    assert PATH.read_text() == list_errors.document(), "script/console list_errors --output docs/errors.md"


def test_a_code_has_one_status():
    by_code: dict[str, set[int]] = {}
    for row in list_errors.declared():
        by_code.setdefault(row.code, set()).add(row.status)

    assert {code: found for code, found in by_code.items() if len(found) > 1} == {}


def test_every_provider_has_its_failures_in_the_reference():
    named = {row.split(" | ")[1] for row in list_errors.failures()}

    assert named == {name for _, name in provider_choices()}
