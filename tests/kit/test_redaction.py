"""Redaction: no secret of a known shape survives, and what operators need stays as it was."""

import re
import string
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.kit import ids, redaction

WORDS = st.sampled_from(
    ["", "paid by ", "POST ", "('", '{"x": "', "Key (payer_phone)=(", "line 12: ", "\n  "]
)
ENDS = st.sampled_from(["", " now", "')", '", "y": 1}', ")", ", then", ".", "\nNext"])
NAMES = st.sampled_from(
    ["password", "passkey", "consumer_secret", "token", "api_key", "Authorization", "SecurityCredential", "Cookie", "PIN"]
)  # fmt: skip
PRINTABLE = string.ascii_letters + string.digits + "!#$%*+,-./:;<>?@^_`|~"
KEY_CHARACTERS = string.ascii_letters + string.digits


@st.composite
def kenyan(draw) -> tuple[str, str]:
    """A mobile number as people and systems write it, and its nine digits."""
    digits = draw(st.sampled_from("17")) + draw(st.text(string.digits, min_size=8, max_size=8))
    a, b, c = digits[:3], digits[3:6], digits[6:]
    prefix = draw(st.sampled_from(["+254", "254", "0", "00254", "+254 ", "+254-", "254 ", "+254 (0) "]))
    gap = draw(st.sampled_from(["", " ", "-", ".", "\u00a0"]))
    shape = draw(st.sampled_from([f"{prefix}{a}{gap}{b}{gap}{c}", f"{prefix}{a}{gap}{b}{c}"]))
    return shape, digits


@st.composite
def card(draw) -> str:
    """A card number that passes Luhn's check, grouped or not."""
    start = draw(st.sampled_from(["4", "51", "2221", "6011", "5018"]))
    body = start + draw(st.text(string.digits, min_size=15 - len(start), max_size=15 - len(start)))
    total = sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(body))
    number = body + str(-total % 10)
    gap = draw(st.sampled_from(["", " ", "-"]))
    return gap.join(re.findall("....", number))


@st.composite
def key(draw) -> tuple[str, str]:
    """A key or token that is known by its form alone, and what of it is secret."""
    secret = draw(st.text(KEY_CHARACTERS, min_size=24, max_size=40))
    written = draw(
        st.sampled_from(
            [
                f"sk_live_{secret}",
                f"whsec_{secret}",
                f"tsk_test_1a2b3c4d_{secret}",
                f"Bearer {secret}",
                f"Basic A{secret}=",
                f"redis://:{secret}@127.0.0.1:6379/0",
                f"postgresql://treasury:{secret}@db/treasury",
                f"/hooks/{'a' * 32}/{secret}/stk",
                f"https://pay.example/sandbox/{'0' * 32}/{secret}",
                f"eyJ{secret}.{secret}.{secret}",
            ]
        )
    )
    return written, secret


@given(before=WORDS, number=kenyan(), after=ENDS)
def test_masks_every_form_of_a_phone(before, number, after):
    written, digits = number
    assume(not re.fullmatch(r"[1-9]\d*\.\d+", written))  # 254712.345678 may as well be an amount

    shown = redaction.text(before + written + after)

    assert digits not in re.sub(r"\D", "", shown)
    assert shown.startswith(before)
    assert shown.endswith(digits[-3:] + after)


@given(before=WORDS, number=card(), after=ENDS)
def test_takes_out_card_numbers(before, number, after):
    assert redaction.text(before + number + after) == f"{before}[card]{after}"


@given(before=WORDS, planted=key(), after=ENDS)
def test_takes_out_keys_by_their_form(before, planted, after):
    written, secret = planted

    assert secret not in redaction.text(before + written + after)


@given(
    name=NAMES,
    secret=st.text(PRINTABLE, min_size=6, max_size=30).filter(lambda value: not value.startswith(tuple(";:=> "))),
    form=st.sampled_from(['{{"{0}": "{1}"}}', "{{'{0}': '{1}'}}", "{0}={1}", "{0}: {1}", "{0}=b'{1}'", '{{\\"{0}\\": \\"{1}\\"}}']),
)  # fmt: skip
def test_takes_out_what_stands_under_a_secret_name(name, secret, form):
    assert secret not in redaction.text(form.format(name, secret))
    assert redaction.values({name: secret, "more": [{name: secret}]}) == {
        name: "[redacted]",
        "more": [{name: "[redacted]"}],
    }


@given(
    st.one_of(
        st.uuids().map(str),
        st.builds(lambda value: ids.encode("pi", value), st.uuids()),
        st.integers(0, 10**9 - 1).map(str),
        st.decimals(0, 10**9, places=2).map(str),
        st.decimals(0, 10**9, places=2).map("{:,}".format),
        st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(str),  # noqa: DTZ001 (text is asked for)
        st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.strftime("%d-%m-%Y %H:%M")),  # noqa: DTZ001
        st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat),  # noqa: DTZ001
        st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.strftime("%Y%m%d%H%M%S")),  # noqa: DTZ001
        st.floats(0, 1).map("{:.12f}".format),
        st.from_regex(r"[A-Z]{3}[0-9]{4}[A-Z]{3}", fullmatch=True),
        st.sampled_from(["job_not_started", "apps.payments.services.intents", "/v1/{tenant_id}/payments", "1764085300123"]),
    )
)  # fmt: skip
def test_leaves_ids_amounts_and_dates_alone(ordinary):
    line = f"payment {ordinary} took 12.3 ms, KES 1,500.00"

    assert redaction.text(line) == line
    assert redaction.values({"reference": ordinary}) == {"reference": ordinary}


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"phone": "712345678"}, {"phone": "*****678"}),
        ({"PartyA": 254712345678}, {"PartyA": "*****678"}),
        ({"amount_minor": 150000, "count": 3, "ok": True}, {"amount_minor": 150000, "count": 3, "ok": True}),
        ({"sent_to": 254712345678}, {"sent_to": "2547*****678"}),
        ({"at": UUID(int=7), "sum": Decimal("10.50")}, {"at": UUID(int=7), "sum": Decimal("10.50")}),
        ({"error": ValueError("no 0712345678")}, {"error": "ValueError('no 07*****678')"}),
        ({"ticket": "ws_CO_1007202409152617712396192"}, {"ticket": "ws_CO_1007202409152617712***192"}),
        ({"who": "+14155552671"}, {"who": "+*****671"}),
        ({"token": "", "passkey": None}, {"token": "", "passkey": None}),
    ],
)
def test_reads_fields_by_name_and_type(fields, shown):
    assert redaction.values(fields) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("GET /pay/{} 200", "GET /pay/… 200"),
        ("/pay/{}/receipt.pdf", "/pay/…/receipt.pdf"),
        ("https://acme.example/pay/{}?onward=1", "https://acme.example/pay/…?onward=1"),
        ("success_url=https%3A%2F%2Facme.example%2Fpay%2F{}", "success_url=https%3A%2F%2Facme.example%2Fpay%2F…"),
        ("/pay/brand.css {}", "/pay/brand.css {}"),
    ],
)  # fmt: skip
def test_takes_the_secret_out_of_the_address_of_a_pay_page(written, shown):
    secret = "0123456789abcdef" * 2 + "fedcba98"

    assert redaction.text(written.format(secret)) == shown.format(secret)
    assert redaction.values({"path": written.format(secret)}) == {"path": shown.format(secret)}


def test_a_token_behind_a_hyphen_is_taken_out():
    secret = "QmFuYW5hcw"

    assert redaction.text(f"x-eyJ{secret}.{secret}.{secret} y") == "[redacted] y"
    assert redaction.text("file-1.2.3 keyJ.a.b") == "file-1.2.3 keyJ.a.b"


@pytest.mark.parametrize(
    "number",
    [
        "378282246310005",
        "30569309025904",
        "3530111333300000",
        "3566 0020 2036 0505",
        "4222222222222",
        "5018000000000009",
    ],
)
def test_knows_a_card_by_its_issuer(number):
    assert redaction.has_card(f"Paid by {number}.")


@pytest.mark.parametrize(
    "number", ["353918051234561", "356938035643809", "490154203237518", "3569380356438091"]
)
def test_takes_the_number_of_a_phone_for_no_card(number):
    assert not redaction.has_card(f"IMEI: {number}")


@pytest.mark.parametrize("hostile", ["-eyJ" * 5_000, "eyJ." * 5_000, "a-" * 10_000 + "eyJ"])
def test_hostile_text_takes_no_longer_than_its_length(hostile):
    began = perf_counter()
    redaction.text(hostile)

    assert perf_counter() - began < 0.5
