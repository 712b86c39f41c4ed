"""Document events: docs/events.md says what the code declares."""

from io import StringIO

from django.conf import settings
from django.core.management import call_command

from apps.events.contracts import REGISTRY
from apps.events.management.commands.list_events import document
from tests.factories.events import INTERNAL_TYPE, PARTNER_TYPE


def test_is_up_to_date():
    declared = [kind for kind in REGISTRY.values() if kind not in (PARTNER_TYPE, INTERNAL_TYPE)]

    written = (settings.BASE_DIR / "docs" / "events.md").read_text()

    assert written == document(declared), "bring it up to date: script/console list_events > docs/events.md"


def test_prints_what_it_knows():
    out = StringIO()

    call_command("list_events", stdout=out)

    assert "### `order_placed`" in out.getvalue()
    assert "| `count` | integer | yes |" in out.getvalue()
    assert (
        out.getvalue().index("order_placed")
        < out.getvalue().index("## Internal")
        < out.getvalue().index("stock_counted")
    )
