"""Revalue pages: foreign money is revalued from the step of a close."""

from django.db import connection

from apps.ledger.models import Transaction
from tests.factories import periods as make
from tests.portal.periods.steps import acme_again, deed, html, open_at, send, show


def test_foreign_money_is_revalued_from_its_step(enter, dollars):
    client = enter("owner")
    connection.set_tenant(acme_again())
    january = make.month(1)
    assert deed("revalue", january) in html(client, show(january))
    opened = open_at(client, deed("revalue", january)).content.decode()
    for word in ("KES 131", "150.00", "A day is revalued once."):
        assert word in opened, word

    assert send(client, deed("revalue", january)).status_code == 204
    assert send(client, deed("revalue", january)).status_code == 204

    assert Transaction.objects.filter(kind="REVALUATION").count() == 1
    page = html(client, show(january))
    assert deed("revalue", january) not in page
    assert "Foreign currency is revalued on its last day." in page


def test_a_revaluation_without_a_rate_says_so_and_books_nothing(enter, dollars):
    client = enter("owner")
    connection.set_tenant(acme_again())
    march = make.month(3)

    opened = open_at(client, deed("revalue", march)).content.decode()
    refused = send(client, deed("revalue", march))

    assert "A rate is missing" in opened
    assert refused.status_code == 409
    assert Transaction.objects.filter(kind="REVALUATION").exists() is False


def test_who_exchanges_nothing_revalues_nothing(controller, dollars):
    january = make.month(1)

    assert deed("revalue", january) not in html(controller, show(january))
    assert open_at(controller, deed("revalue", january)).status_code == 403
