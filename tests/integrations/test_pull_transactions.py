"""The Pull Transactions adapter against the payloads of Safaricom's pages: no network, no database."""

from datetime import UTC, datetime

import pytest

from apps.integrations.ports import (
    ProviderDeclined,
    ProviderUnavailable,
    StatementPage,
    StatementRow,
    Window,
)
from apps.kit import http
from apps.kit.money import Money
from tests.integrations import daraja
from tests.integrations.daraja import answer, refused, said

WINDOW = Window(datetime(2020, 8, 4, 5, 36, tzinfo=UTC), datetime(2020, 8, 5, 21, 10, 5, tzinfo=UTC))
EMPTY = StatementPage(())


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_asks_for_a_window_in_local_time(method):
    port, line = daraja.statement_port(answer("pull_page.json"), method=method)

    port.fetch(WINDOW, page="100")

    assert line.orders[0]["method"] == method
    assert line.orders[0]["url"].endswith("/pulltransactions/v1/query")
    assert line.orders[0]["body"] == {
        "ShortCode": "174379",
        "StartDate": "2020-08-04 08:36:00",
        "EndDate": "2020-08-06 00:10:05",
        "OffSetValue": "100",
    }


def test_reads_a_list_in_a_list_and_counts_what_is_no_movement():
    port, _ = daraja.statement_port(answer("pull_page.json"))

    page = port.fetch(WINDOW)

    assert page.rows == (
        StatementRow(
            receipt="NLJ7RT61SV",
            money=Money(1_500_00, "KES"),
            reference="K7PQ2M4XRT",
            payer="254708374149",
            told_at="2020-08-05T10:13:00Z",
            kind="c2b-pay-bill-debit",
        ),
        StatementRow(
            receipt="NLJ7RT61SW",
            money=Money(350_00, "KES"),
            reference="37207636392",
            payer="2547 ***** 126",
            told_at="2020-08-05T11:02:41Z",
            kind="c2b-pay-bill-debit",
        ),
    )
    assert (page.next_page, page.unreadable) == ("", 1)


def test_a_full_page_has_another_one_behind_it():
    row = {"transactionId": "NLJ7RT61SV", "amount": "1", "billreference": "A"}
    body = {"ResponseCode": "1000", "Response": [[row] * 100]}
    port, _ = daraja.statement_port(said(body), said(body))

    assert port.fetch(WINDOW).next_page == "100"
    assert port.fetch(WINDOW, page="100").next_page == "200"


@pytest.mark.parametrize(
    "came",
    [
        answer("pull_none.json"),
        said({"ResponseCode": "1000", "Response": [[]]}),
    ],
)
def test_nothing_is_an_empty_page(came):
    port, _ = daraja.statement_port(came)

    assert port.fetch(WINDOW) == EMPTY


@pytest.mark.parametrize(
    "came",
    [
        said({"ResponseCode": "500", "ResponseMessage": "Failed to retrieve transactions"}),
        refused("500", "Failed to retrieve transactions"),
        said({"ResponseCode": "1002"}),
        said({}),
        said(b"<html></html>", 502),
        refused("500.003.1001", "Internal Server Error"),
        http.NoAnswer("timeout"),
    ],
)
def test_a_list_that_did_not_come_may_be_asked_for_again(came):
    port, _ = daraja.statement_port(came)

    with pytest.raises(ProviderUnavailable):
        port.fetch(WINDOW)


@pytest.mark.parametrize("status", ["1000", "1001"])
def test_registers_once_or_again(status):
    port, line = daraja.statement_port(said({"ResponseStatus": status, "ShortCode": "174379"}))

    port.register(number="0722000000", callback_url="https://pay.example.test/hooks/a/b/pull")

    assert line.orders[0]["url"].endswith("/pulltransactions/v1/register")
    assert line.orders[0]["body"] == {
        "ShortCode": "174379",
        "RequestType": "Pull",
        "NominatedNumber": "0722000000",
        "CallBackURL": "https://pay.example.test/hooks/a/b/pull",
    }


def test_a_refused_registration_is_a_matter_of_configuration():
    port, _ = daraja.statement_port(said({"ResponseStatus": "1002", "ResponseDescription": "Not allowed"}))

    with pytest.raises(ProviderDeclined) as refusal:
        port.register(number="0722000000", callback_url="https://pay.example.test/hooks/a/b/pull")

    assert refusal.value.code == "configuration"
