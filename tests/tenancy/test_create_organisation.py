"""Create organisation."""

import pytest

from apps.accounts.models import PlatformRecord
from apps.kit.actors import SYSTEM
from apps.tenancy.services import organisations
from tests.factories.accounts import NOW


@pytest.mark.parametrize(("is_test", "is_required"), [(False, True), (True, False)])
def test_asks_for_a_second_factor_where_money_is_real(db, is_test, is_required):
    organisation = organisations.create(
        slug="savanna", name="Savanna", is_test=is_test, base_domain="testserver", actor=SYSTEM, now=NOW
    )

    organisation.refresh_from_db()
    assert organisation.requires_second_factor is is_required
    record = PlatformRecord.objects.get()
    assert (record.action, record.object_id, record.occurred_at) == (
        "organisation.created", str(organisation.pk), NOW,
    )  # fmt: skip
    assert record.changes == {"slug": [None, "savanna"], "is_test": [None, is_test]}
