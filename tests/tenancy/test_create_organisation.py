"""Create organisation."""

import pytest

from apps.tenancy.services import organisations


@pytest.mark.parametrize(("is_test", "is_required"), [(False, True), (True, False)])
def test_asks_for_a_second_factor_where_money_is_real(db, is_test, is_required):
    organisation = organisations.create(
        slug="savanna", name="Savanna", is_test=is_test, base_domain="testserver"
    )

    organisation.refresh_from_db()
    assert organisation.requires_second_factor is is_required
