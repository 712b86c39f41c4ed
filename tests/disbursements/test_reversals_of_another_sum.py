"""Reversals of another sum: what the provider says came back is booked once and marked, and what cannot have come is asked about again."""

from datetime import timedelta

import httpx
import pytest
from django.db import IntegrityError, transaction

from apps.audit.models import AuditRecord
from apps.disbursements import postings
from apps.disbursements.models import TransferReversal
from apps.disbursements.services import orders, transfer_reversals
from apps.integrations.ports import TransferReport
from apps.kit import ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.services import journals
from tests.disbursements.test_open_connected_accounts import NEVER_HEARD
from tests.disbursements.test_order_transfer import NOTHING, USD_60, at_once, books, told
from tests.disbursements.test_pay_by_stripe import DAY, TRANSFERS, connected, sent
from tests.factories import transfers as made
from tests.factories.transfers import NOW, USD_30, USD_40, USD_100
from tests.loopback import NO_TLS
from tests.payments import cards as cardrail

USD_10, USD_15, USD_25 = (Money(minor, "USD") for minor in (10_00, 15_00, 25_00))
DIFFERS = "transfer.reversal_differs"


def being_taken_back(transfer, money=USD_25) -> TransferReversal:
    """Return a part of a transfer that is being taken back, of which no answer has come."""
    transfer_reversals.reverse(
        transfer_id=transfer.id, money=money, reason="Paid twice.", actor=SYSTEM, now=NOW
    )
    part = TransferReversal.objects.order_by("-number")[0]
    part.begin(at=NOW)
    part.save_progress()
    return part


def say(part, money) -> None:
    report = TransferReport(f"trr_{part.code}", money)
    orders.record(transfer_reversals.KIND, order_id=part.id, report=report, now=NOW)


def again(part) -> TransferReversal:
    return TransferReversal.objects.get(id=part.id)


def differences() -> list[dict]:
    return list(AuditRecord.objects.filter(action=DIFFERS).values_list("changes", flat=True))


@pytest.mark.parametrize("came", [USD_15, USD_30, USD_40])
def test_what_came_back_is_booked_once_and_the_difference_is_on_the_trail(acme, came):
    transfer = made.made()
    part = being_taken_back(transfer)

    for _ in range(2):
        say(part, came)

    part, transfer = again(part), made.again(transfer)
    assert (part.status, part.money, part.returned, part.ticket) == (
        "SUCCEEDED", USD_25, came, f"trr_{part.code}",
    )  # fmt: skip
    assert (transfer.reversed, transfer.reversing, transfer.reversible) == (came, NOTHING, USD_40 - came)
    assert books() == (USD_60 + came, NOTHING, came - USD_40)
    assert told(transfer)[-1] == "transfer_reversed"
    assert differences() == [{"returned": [USD_25.wire(), came.wire()]}]
    record = AuditRecord.objects.get(action=DIFFERS)
    assert (record.object_id, record.reason) == (ids.encode("tr", transfer.id), "Paid twice.")


def test_what_came_back_as_asked_for_is_marked_nowhere(acme):
    part = being_taken_back(made.made())

    say(part, USD_25)

    assert (again(part).returned, again(part).is_contradicted, differences()) == (USD_25, False, [])


@pytest.mark.parametrize("came", [Money(40_01, "USD"), Money(25_00, "EUR"), NOTHING])
def test_what_cannot_have_come_back_is_booked_by_nobody_and_asked_about_again(acme, came):
    transfer = made.made()
    part = being_taken_back(transfer)

    say(part, came)

    part = again(part)
    assert (part.status, part.returned, part.next_query_at > NOW) == ("UNKNOWN", USD_25, True)
    assert (made.again(transfer).reversing, books()) == (USD_25, (USD_60, NOTHING, -USD_40))
    assert (told(transfer)[-1], differences()) == ("transfer_unknown", [])


def test_what_another_part_may_bring_is_left_to_it_until_that_has_ended(acme):
    transfer = made.made()
    first, second = being_taken_back(transfer), being_taken_back(transfer, USD_15)

    say(first, USD_30)
    assert again(first).status == "UNKNOWN"
    say(second, USD_10)
    say(first, USD_30)

    assert [again(part).returned for part in (first, second)] == [USD_30, USD_10]
    transfer = made.again(transfer)
    assert (transfer.reversed, transfer.reversing, books()) == (USD_40, NOTHING, (USD_100, NOTHING, NOTHING))
    assert len(differences()) == 2


def test_nothing_is_kept_when_the_ledger_refuses(acme):
    transfer = made.made()
    part = being_taken_back(transfer)
    part.transfer = made.again(transfer)
    journals.post(draft=postings.reversal(part), actor=PROVIDER, now=NOW)
    before = books(), told(transfer)

    with pytest.raises(journals.KeyReused):
        say(part, USD_15)

    assert (again(part).status, again(part).returned_minor) == ("SENDING", None)
    assert (made.again(transfer).reversing, differences()) == (USD_25, [])
    assert (books(), told(transfer)) == before


def test_two_answers_at_once_are_booked_once(committed_acme):
    transfer = made.made()
    part = being_taken_back(transfer)

    at_once(lambda: say(part, USD_15))

    assert (made.again(transfer).reversed, books()[2]) == (USD_15, USD_15 - USD_40)
    assert (len(differences()), told(transfer).count("transfer_reversed")) == (1, 1)


def test_the_database_keeps_what_came_back(acme):
    part = being_taken_back(made.made())
    row = TransferReversal.objects.filter(id=part.id)
    with pytest.raises(IntegrityError, match="returned_once_made"), transaction.atomic():
        row.update(returned_minor=15_00)
    say(part, USD_15)

    for minor in (20_00, None):
        with pytest.raises(IntegrityError, match="set once"), transaction.atomic():
            row.update(returned_minor=minor)


def test_what_the_provider_has_taken_back_of_it_is_found_and_its_balance_is_the_ledgers(cards):
    transfer = sent(cards, connected(cards))
    transfer_reversals.reverse(
        transfer_id=transfer.id, money=USD_25, reason="Too much.", actor=SYSTEM, now=cards.now
    )
    [part] = TransferReversal.objects.all()
    path = f"{TRANSFERS}/{transfer.ticket}/reversals"
    cards.script(NEVER_HEARD, path=path)
    transfer_reversals.send(reversal_id=part.id, now=cards.now)
    by_hand = {"amount": "1500", "metadata[code]": part.code}
    auth = (cardrail.CREDENTIALS.api_key, "")
    httpx.post(f"{cards.url}/stripe{path}", data=by_hand, auth=auth, trust_env=False, verify=NO_TLS)
    cards.now += DAY + timedelta(hours=2)

    transfer_reversals.query(reversal_id=part.id, now=cards.now)

    assert (again(part).status, again(part).returned) == ("SUCCEEDED", USD_15)
    assert books() == (USD_60 + USD_15, NOTHING, -USD_25)
    assert cards.statement()["closing_balance"] == "-25.00"
