"""docs/permissions.md is what the code declares."""

from django.conf import settings

from treasury.management.commands import list_permissions

PATH = settings.BASE_DIR / "docs" / "permissions.md"


def test_the_matrix_lists_every_permission():
    assert PATH.read_text() == list_permissions.document(), (
        "script/console list_permissions --output docs/permissions.md"
    )
