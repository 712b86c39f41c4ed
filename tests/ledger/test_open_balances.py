"""Open the books with balances from a file: checked whole, agreed to by another person, one transaction."""

import pytest

from apps.approvals.models import ApprovalRequest
from apps.ledger.contracts import JOURNAL, AccountRole
from apps.ledger.importers import FileInvalid
from apps.ledger.models import Account, Transaction
from apps.ledger.services import accounts, opening_balances
from tests.factories import approvals, ledger
from tests.factories.approvals import ONE_APPROVER
from tests.ledger.test_adjust_books import TODAY, prepare, told

HEADS = "account,currency,debit,credit"
GOOD = ("1110,KES,250000.00,", "6110,KES,,50000", "3910,KES,,200000.00")


@pytest.fixture(autouse=True)
def book(acme):
    rent, bank = prepare()
    approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    ref = ledger.ref(AccountRole.OPENING_BALANCES, bank.branch_id)
    return rent, bank, accounts.ensure(ref=ref, now=ledger.NOW)


def ask(*rows: str, within=None) -> ApprovalRequest:
    request_id = opening_balances.ask(
        content="\n".join([HEADS, *rows]).encode(),
        voucher="OB-2026",
        reason="From the old books",
        effective_date=TODAY,
        actor=approvals.maker(),
        now=ledger.NOW,
        within=within,
    )
    return ApprovalRequest.objects.get(id=request_id)


def test_is_one_transaction_once_another_person_has_agreed(book):
    approvals.approve(ask(*GOOD), approvals.person())
    told()

    booked = Transaction.objects.get()
    assert (booked.kind, booked.entry_count, booked.reference) == ("OPENING", 3, "OB-2026")
    nets = {account.code: account.net for account in Account.objects.with_net()}
    assert nets == {"1110": 250_000_00, "6110": -50_000_00, "3910": -200_000_00}


@pytest.mark.parametrize(
    ("rows", "pointer", "code"),
    [
        (("1110,KES,5,", "7777,KES,,5"), "/rows/3/account", "unknown"),
        (("1110,USD,5,", "3910,KES,,5"), "/rows/2/currency", "invalid"),
        (("1110,KES,5,5", "3910,KES,,5"), "/rows/2/debit", "invalid"),
        (("1110,KES,,", "3910,KES,,5"), "/rows/2/debit", "invalid"),
        (("1110,KES,5.001,", "3910,KES,,5"), "/rows/2/debit", "invalid"),
        (("1110,KES,0,", "3910,KES,,5"), "/rows/2/debit", "invalid"),
        (('1110,KES,"5,000",', "3910,KES,,5"), "/rows/2/debit", "invalid"),
        (("1110,KES,1e3,", "3910,KES,,5"), "/rows/2/debit", "invalid"),
        (("1110,KES,NaN,", "3910,KES,,5"), "/rows/2/debit", "invalid"),
        (("1110,KES,-5,", "3910,KES,,5"), "/rows/2/debit", "formula"),
        (("1110,KES,5,", "1110,KES,,5"), "/rows/3/account", "duplicate"),
        (("1110,KES,5.50,", "3910,KES,,5"), "/rows", "unbalanced"),
    ],
)
def test_what_cannot_be_taken_over_is_named_and_nothing_is_asked(rows, pointer, code):
    with pytest.raises(FileInvalid) as refusal:
        ask(*rows)

    assert [(error.pointer, error.code) for error in refusal.value.errors] == [(pointer, code)]
    assert not ApprovalRequest.objects.exists()


def test_the_difference_is_told():
    with pytest.raises(FileInvalid, match=r"Debits in KES are .*0\.50 more"):
        ask("1110,KES,5.50,", "3910,KES,,5")


def test_accounts_of_other_branches_are_not_there():
    with pytest.raises(FileInvalid):
        ask(*GOOD, within=[ledger.branch().id])
