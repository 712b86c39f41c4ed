"""Refuse hostile input: what no caller should send gets a typed refusal that names the field, and nothing is written."""

import json

import pytest
from django.test import Client

from apps.approvals.models import ApprovalRequest
from apps.jobs.models import Job
from apps.kit import clock, ids
from apps.ledger.models import Account, FxRate, Hold, SignOff, Transaction
from apps.ledger.services import accounts
from tests.factories import access, fx, ledger, periods
from tests.ledger.partner import Partner, kes, party, transfer

TEN = kes("10.00")
DEEP = json.loads('{"a":' * 60 + '"x"' + "}" * 60)
AMOUNTS = [
    kes("NaN"),
    kes("Infinity"),
    kes("-Infinity"),
    kes("sNaN"),
    kes("1e3"),
    kes("0x10"),
    kes("\u0661\u0660"),
    kes("10" * 20 + ".00"),
    kes("1" + "0" * 40),
    kes("9" * 35),
    kes("9" * 5000),
    kes("10.001"),
    kes("-0.01"),
    kes("0.00"),
    kes(""),
    kes(" 10.00"),
    kes("10.00\0"),
    kes("10.00\ud800"),
    {"amount": 10.5, "currency": "KES"},
    {"amount": 10, "currency": "KES"},
    {"amount": True, "currency": "KES"},
    {"amount": None, "currency": "KES"},
    {"amount": ["10.00"], "currency": "KES"},
    {"amount": "10.00", "currency": "\ud800"},
    {"amount": "10.00", "currency": "KES\0"},
    {"amount": "10.00", "currency": ["KES"]},
    {"amount": "10.00", "currency": "KES", "\ud800": "x"},
    10.5,
    1e300,
    "10.00",
    None,
    [],
    DEEP,
]
DAYS = [
    "0001-01-01",
    "1969-12-31",
    "9999-12-31",
    "infinity",
    "-infinity",
    "2026-02-30",
    "2026-11-24T00:00",
    20261124,
    DEEP,
]
INSTANTS = [
    "0001-01-01T00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "infinity",
    "now",
    1e300,
    DEEP,
]
TEXTS = ["a\0b", "half \ud800", "\udc00", "x" * 5000, ["x"], DEEP]


@pytest.fixture(scope="module")
def opened(lay):
    """Open the books, and let a partner and two parties in: no test leaves anything behind."""

    def write():
        with clock.fixed(ledger.NOW):
            fx.office()
            accounts.ensure(ref=fx.bank("KES", access.head_office().id), now=ledger.NOW)
            periods.months()
            return Partner(), (party(display_name="Mama Oliech"), party(display_name="Otieno"))

    return lay(write)


@pytest.fixture
def shop(opened, acme):
    with clock.fixed(ledger.NOW):
        yield opened[0]


@pytest.fixture
def sides(opened):
    return opened[1]


def written():
    return [model.objects.count() for model in (Transaction, Hold, FxRate, Job, SignOff, ApprovalRequest)]


def refuse(answer, *pointers):
    """Assert that it is a refusal of the caller's input which names one of the fields, and that nothing was written."""
    said = answer.json()
    assert 400 <= answer.status_code < 500, said
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [one["pointer"] for one in said["errors"]][:1] in [[pointer] for pointer in pointers], said
    assert written() == [0] * 6


@pytest.mark.parametrize("amount", AMOUNTS, ids=lambda value: repr(value)[:40])
def test_an_amount(shop, sides, amount):
    body = transfer(*sides)
    body["legs"][1]["amount"] = amount
    hold = {
        "description": "Ride",
        "payer": {"role": "merchant_payable", "owner_id": sides[0]},
        "payee": {"role": "rider_payable", "owner_id": sides[1]},
        "amount": amount,
    }

    for path, wanted, pointer in (
        ("transactions", body, "/legs/1/amount"),
        ("transactions/batch", {"transactions": [{**body, "key": "a"}]}, "/transactions/0/legs/1/amount"),
        ("holds", hold, "/amount"),
        ("exchanges", exchange(sides[0], give=amount), "/give"),
        ("journals", journal(amount), "/lines/0/amount"),
    ):
        refuse(shop.post(path, wanted), pointer, pointer.removesuffix("/1/amount"), f"{pointer}/\\ud800")


def exchange(owner, **facts):
    deposit = {"role": "customer_deposit", "owner_id": owner}
    give = {"amount": "10.00", "currency": "USD"}
    return {"give": give, "get_currency": "KES", "source": deposit, "target": deposit, **facts}


def journal(amount=TEN, **facts):
    lines = [
        {"account_id": ids.encode("acc", ids.new()), "direction": direction, "amount": amount}
        for direction in ("debit", "credit")
    ]
    said = {"voucher": "JV-1", "description": "Rent", "reason": "Paid by cheque", "lines": lines}
    return {**said, "effective_date": "2026-11-24", **facts}


@pytest.mark.parametrize("day", DAYS, ids=lambda value: repr(value)[:40])
def test_a_day(shop, sides, day):
    for path, wanted, pointer in (
        ("transactions", transfer(*sides, effective_date=day), "/effective_date"),
        (
            "transactions/batch",
            {"transactions": [transfer(*sides, key="a", effective_date=day)]},
            "/transactions/0/effective_date",
        ),
        ("journals", journal(effective_date=day), "/effective_date"),
        ("exchanges", exchange(sides[0], effective_date=day), "/effective_date"),
    ):
        refuse(shop.post(path, wanted), pointer)
    if day != "9999-12-31":  # a day to ask about like any other
        refuse(shop.post("reports", {"report": "trial_balance", "as_of": day}), "/as_of")


@pytest.mark.parametrize("instant", INSTANTS, ids=lambda value: repr(value)[:40])
def test_an_instant(shop, sides, instant):
    said = {"base": "USD", "quote": "KES", "rate": "129.5", "as_of": instant, "source": "Our bank"}
    hold = {
        "description": "Ride",
        "payer": {"role": "merchant_payable", "owner_id": sides[0]},
        "payee": {"role": "rider_payable", "owner_id": sides[1]},
        "amount": kes("10.00"),
        "expires_at": instant,
    }

    refuse(shop.post("rates", said), "/as_of")
    refuse(shop.post("holds", hold), "/expires_at")
    if isinstance(instant, str) and not instant.endswith("Z"):
        refuse(shop.post("reports", {"report": "trial_balance", "known_at": instant}), "/known_at")


@pytest.mark.parametrize("text", TEXTS, ids=lambda value: repr(value)[:40])
def test_a_text(shop, sides, text):
    period = ids.encode("per", periods.month(1).uid)
    base = {"base": "USD", "quote": "KES", "rate": "129.5", "as_of": "2026-11-24T06:00:00Z", "source": "Bank"}

    for field in ("description", "reference", "cost_centre", "key"):
        refuse(shop.post("transactions", transfer(*sides, **{field: text})), f"/{field}")
    refuse(shop.post("transactions", transfer(*sides, dimensions={"project": text})), "/dimensions/project")
    for field in ("voucher", "description", "reason", "cost_centre"):
        refuse(shop.post("journals", journal(**{field: text})), f"/{field}")
    for field in ("source", "reason", "rate", "base"):
        refuse(shop.post("rates", {**base, field: text}), f"/{field}")
    for field in ("reference", "key", "get_currency"):
        refuse(shop.post("exchanges", exchange(sides[0], **{field: text})), f"/{field}")
    for field in ("kind", "note"):
        body = {"kind": "reconciliation", field: text}
        refuse(shop.post(f"periods/{period}/sign-off", body), f"/{field}")
    refuse(shop.post(f"periods/{period}/reopen", {"reason": text}), "/reason")
    refuse(shop.post("reports", {"report": text}), "/report")


@pytest.mark.parametrize(
    ("dimensions", "pointers"),
    [
        (DEEP, ["/dimensions/a"]),
        ({"a": {"b": "c"}}, ["/dimensions/a"]),
        ({"a": ["b"]}, ["/dimensions/a"]),
        ({"a": None}, ["/dimensions/a"]),
        ({"a\0b": "c"}, ["/dimensions"]),
        ({"a\ud800b": "c"}, ["/dimensions"]),
        ({"x" * 41: "c"}, ["/dimensions"]),
        ({str(number): "x" for number in range(10_001)}, ["/dimensions"]),
        ([], ["/dimensions"]),
        ("a", ["/dimensions"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_dimensions(shop, sides, dimensions, pointers):
    refuse(shop.post("transactions", transfer(*sides, dimensions=dimensions)), *pointers)
    refuse(shop.post("journals", journal(dimensions=dimensions)), *pointers)


def test_too_many_legs(shop, sides):
    refuse(shop.post("transactions", {"description": "Many", "legs": [{}] * 10_001}), "/legs")
    refuse(shop.post("journals", journal(lines=[{}] * 10_001)), "/lines")
    refuse(shop.post("transactions/batch", {"transactions": [{}] * 1_001}), "/transactions")


@pytest.mark.parametrize(
    "account",
    ["acc_1", "acc_" + "z" * 26, "\0", "\ud800", 5, None, [], DEEP, "acc_" + "9" * 5000],
    ids=lambda value: repr(value)[:40],
)
def test_an_identifier(shop, sides, account):
    body = transfer(*sides)
    body["legs"][0] = {"direction": "debit", "account_id": account, "amount": kes("10.00")}

    refuse(shop.post("transactions", body), "/legs/0/account_id")
    refuse(shop.post("exchanges", exchange(sides[0], source={"account_id": account})), "/source/account_id")


@pytest.mark.parametrize(
    "body", [[], "text", 5, None, [[]], DEEP, {"\ud800": 1}, {"a\0": 1}], ids=lambda value: repr(value)[:40]
)
def test_a_body_of_another_shape(shop, body):
    period = ids.encode("per", periods.month(1).uid)
    for path in (
        "transactions",
        "transactions/batch",
        "holds",
        "exchanges",
        "journals",
        "rates",
        "reports",
        f"periods/{period}/sign-off",
    ):
        answer = Client().post(
            f"/v1/acme/ledger/{path}",
            json.dumps(body),
            content_type="application/json",
            headers={"Idempotency-Key": "hostile-1", **shop.headers},
        )
        shop.inside(answer)
        assert 400 <= answer.status_code < 500, answer.content
        assert answer.json()["errors"]
        assert written() == [0] * 6


@pytest.mark.parametrize(
    "text",
    [
        '{"description": NaN}',
        '{"description": Infinity}',
        '{"amount": 1e400}',
        '{"amount": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"description": "\xff"}',
        "",
        "{",
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_json(shop, text):
    for path in ("transactions", "holds", "exchanges", "journals", "rates", "reports"):
        answer = Client().post(
            f"/v1/acme/ledger/{path}",
            text.encode("latin-1"),
            content_type="application/json",
            headers={"Idempotency-Key": "hostile-1", **shop.headers},
        )
        shop.inside(answer)
        assert answer.status_code in {400, 422}, answer.content
        assert written() == [0] * 6


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01",
        "1969-12-31",
        "9999-12-31",
        "infinity",
        "NaN",
        "\0",
        "\ud800",
        "9" * 5000,
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_question_never_breaks(shop, sides, value):
    """Ask every reading endpoint with every parameter: an answer or a refusal that names it, never a defect."""
    shop.post("transactions", transfer(*sides))
    account = ids.encode("acc", Account.objects.get(role="RIDER_PAYABLE").uid)
    of_reports = ("as_of", "known_at", "branch_id", "since", "limit", "cursor")
    asked = {
        **{
            f"reports/{name}": of_reports
            for name in (
                "trial-balance",
                "balance-sheet",
                "profit-and-loss",
                "general-ledger",
                "without-evidence",
            )
        },
        "reports/changes": ("as_of", "known_at", "until", "limit", "cursor"),
        f"accounts/{account}/balance": ("as_of", "known_at"),
        f"accounts/{account}/statement": of_reports,
        f"accounts/{account}/explanation": of_reports,
        "accounts": ("role", "type", "status", "currency", "code", "branch_id", "limit", "cursor"),
        "transactions": ("kind", "reference", "account_id", "effective_date[gte]", "limit", "cursor"),
        "holds": ("status", "reference", "limit", "cursor"),
        "periods": ("status", "limit", "cursor"),
        "rates": ("base", "quote", "limit", "cursor"),
        "rates/latest": ("base", "quote", "at"),
    }
    for path, names in asked.items():
        for name in names:
            given = {"known_at": "2026-11-24T07:41:00Z"} if name == "cursor" and "reports" in path else {}
            answer = shop.get(path, **{**given, name: value.encode(errors="surrogatepass")})
            assert answer.status_code < 500, (path, name, answer.content)
            if answer.status_code == 422:
                assert answer.json()["errors"], (path, name)
