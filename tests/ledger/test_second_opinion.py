"""Second opinion: another program reads our books from a text and finds the same trial balance, to the last unit."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, Direction, Layer
from apps.ledger.models import Entry
from apps.ledger.selectors import plain_text
from apps.ledger.selectors.plain_text import Syntax
from apps.ledger.selectors.reports import trial_balance
from apps.ledger.services import seals
from tests.factories import ledger
from tests.factories.ledger import NOW
from tests.operations.operate import operate

LAST = date(2026, 11, 30)
KNOWN = NOW + timedelta(hours=1)
READER = """
import json, sys
from beancount import loader
from beancount.core import data, realization
entries, errors, options = loader.load_file(sys.argv[1])
sums = {}
for entry in data.filter_txns(entries):
    for leg in entry.postings:
        key = leg.account + " " + leg.units.currency
        sums[key] = sums.get(key, 0) + leg.units.number
print(json.dumps({"errors": [error.message for error in errors], "sums": {key: str(net) for key, net in sums.items()},
    "transactions": sum(1 for _ in data.filter_txns(entries))}))
"""


def read_by_beancount(path: Path) -> dict[str, object]:
    """Return what beancount makes of a file: its errors, and the sum of each account and currency."""
    run = subprocess.run(
        [sys.executable, "-c", READER, str(path)], check=True, capture_output=True, text=True, timeout=120
    )
    return json.loads(run.stdout)


def bean_check(path: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("bean-check")
    return subprocess.run(
        [str(program), "--no-cache", str(path)], check=False, capture_output=True, text=True, timeout=120
    )


def written(folder: Path, lines: Sequence[str] | None = None) -> Path:
    path = folder / "books.beancount"
    text = lines or list(plain_text.export(Syntax.BEANCOUNT, as_of=LAST, known_at=KNOWN))
    path.write_text("\n".join([*text, ""]))
    return path


@pytest.fixture
def books(branch) -> None:
    """A month of bookings in three currencies, one with 18 decimals, words that end strings, and a back-dated one."""
    cash, sales, fees = AccountRole.CASH, AccountRole.REVENUE, AccountRole.PROVIDER_FEES
    for number, currency in enumerate(["KES", "USD", "ETH", "KES", "JPY", "KES"] * 4):
        held, earned, spent = (ledger.ref(role, branch.id, currency) for role in (cash, sales, fees))
        day = LAST - timedelta(days=number)
        words = {"description": 'He said: "pay" \\ ; and | left', "effective_date": day}
        ledger.post(ledger.transfer(held, earned, 10 ** (number + 3) + 7, **words))
        ledger.post(ledger.transfer(spent, held, number + 1, **words))


def test_beancount_finds_the_same_trial_balance(books, tmp_path):
    report = trial_balance.read(as_of=LAST, known_at=KNOWN)
    path = written(tmp_path)

    found = read_by_beancount(path)

    assert found["errors"] == []
    assert found["transactions"] == 48
    ours = {f"{plain_text.name(row)} {row.currency}": row.net.decimal for row in report.rows}
    assert {key: Decimal(net) for key, net in found["sums"].items()} == ours
    assert (bean_check(path).returncode, report.is_balanced) == (0, True)


def test_beancount_refuses_one_unit_more(books, tmp_path):
    lines = list(plain_text.export(Syntax.BEANCOUNT, as_of=LAST, known_at=KNOWN))
    place = next(n for n, line in enumerate(lines) if " balance " in line and "ETH" in line)
    amount = lines[place].split()[3]
    lines[place] = lines[place].replace(amount, str(Decimal(amount) + Decimal(10) ** -18))

    assert bean_check(written(tmp_path, lines)).returncode != 0


def test_the_text_is_the_same_after_later_entries(books, branch):
    before = list(plain_text.export(Syntax.BEANCOUNT, as_of=LAST, known_at=KNOWN))

    late = ledger.transfer(
        ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.SUSPENSE, branch.id), 5
    )
    ledger.post(late, now=KNOWN + timedelta(minutes=1))
    seals.run(now=KNOWN + timedelta(days=1))

    assert list(plain_text.export(Syntax.BEANCOUNT, as_of=LAST, known_at=KNOWN)) == before


if shutil.which("hledger"):  # script/test installs it where root may

    def test_hledger_finds_the_same_trial_balance(books, tmp_path):
        report = trial_balance.read(as_of=LAST, known_at=KNOWN)
        path = written(tmp_path, list(plain_text.export(Syntax.HLEDGER, as_of=LAST, known_at=KNOWN)))

        assert read_by_hledger(path) == {plain_text.name(row): row.net.decimal for row in report.rows}
        assert hledger(path, "check", "--strict", "assertions", "balancednoautoconversion") == ""

    def test_hledger_refuses_one_unit_more(books, tmp_path):
        lines = list(plain_text.export(Syntax.HLEDGER, as_of=LAST, known_at=KNOWN))
        place = next(n for n, line in enumerate(lines) if " = " in line and "ETH" in line)
        amount = lines[place].split()[-2]
        lines[place] = lines[place].replace(amount, str(Decimal(amount) + Decimal(10) ** -18))

        with pytest.raises(subprocess.CalledProcessError) as refusal:
            hledger(written(tmp_path, lines), "check", "assertions")
        assert "balance assertion" in refusal.value.stderr


def hledger(path: Path, *arguments: str) -> str:
    command = ["hledger", "-f", str(path), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def read_by_hledger(path: Path) -> dict[str, Decimal]:
    """Return what hledger finds on each account; it writes amounts as ``-12.40 KES``, and nothing as ``0``."""
    table = hledger(path, "balance", "--flat", "--empty", "--no-total", "--output-format=csv")
    rows = list(csv.reader(table.splitlines()))[1:]
    return {account: Decimal(text.split(maxsplit=1)[0]) for account, text in rows}


def test_the_other_syntax_has_the_same_sums_and_an_assertion_for_each_account(books):
    report = trial_balance.read(as_of=LAST, known_at=KNOWN)
    lines = list(plain_text.export(Syntax.HLEDGER, as_of=LAST, known_at=KNOWN))

    legs = [line.split() for line in lines if line.startswith("    ")]
    sums: dict[str, Decimal] = {}
    for account, amount, *_ in legs:
        sums[account] = sums.get(account, Decimal()) + Decimal(amount)
    asserted = {leg[0]: leg[-2:] for leg in legs if "=" in leg}
    assert sums == {plain_text.name(row): row.net.decimal for row in report.rows}
    assert asserted == {plain_text.name(row): [row.net.text, row.currency] for row in report.rows}
    assert all(";" not in line.partition("; ")[0] for line in lines if line.startswith("2026"))


def test_only_what_is_posted_is_told(books):
    posted = Entry.objects.filter(layer=Layer.POSTED.value, direction=Direction.DEBIT.value).count()
    lines = list(plain_text.export(Syntax.HLEDGER, as_of=LAST, known_at=KNOWN))

    assert len([line for line in lines if " * (LT-" in line]) == posted == 48


def test_operators_write_the_file(acme, balance, unapplied, tmp_path):
    ledger.post(ledger.transfer(balance, unapplied, 12_400_00))
    connection.set_schema_to_public()

    done = operate("ledger", "export", "--tenant", "acme", "--as-of", LAST.isoformat())

    path = tmp_path / "books.beancount"
    path.write_text(done.out)
    assert (done.code, bean_check(path).returncode) == (0, 0)
    assert f"  Assets:1010  {Money(12_400_00, 'KES').text} KES" in done.out
