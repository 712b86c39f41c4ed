"""A sum that is typed by hand before something is done: the page lets through what the server reads as that sum, and nothing else."""

import json

import pytest
from django.core.exceptions import ValidationError

from apps.kit.money import Money
from apps.kit.typed_fields import TypedMoney

NBSP, MINUS, FULL_WIDTH = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}", "\N{FULLWIDTH DIGIT ONE}"
SUMS = [Money(1_250_00, "KES"), Money(1_250, "UGX"), Money(5, "KES"), Money(1_250_500, "KWD")]
FORM = """
<div class="t-dialog"><form data-dialog>
  <input name="sum"><small id="help_sum"></small><button type="submit">Do it</button>
</form></div>
"""
TYPE = """
([typed, named, text]) => {
  const form = document.querySelector("form[data-dialog]");
  const field = form.elements.sum;
  Object.assign(field.dataset, { typed, named });
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return !form.querySelector("button").disabled;
}
"""


def spellings(money):
    digits = money.text
    whole, _, part = digits.partition(".")
    shown = str(money)
    yield from (digits, whole, shown, shown.removeprefix(f"{money.currency} "), shown.replace(",", " "))
    yield from (f" {shown} ", f"{money.currency}{digits}", f"{money.currency} {money.currency} {digits}")
    yield from (shown.lower(), f"{digits} {money.currency}", f"USD {digits}", shown.replace(" ", NBSP))
    yield from (
        shown.replace(",", NBSP),
        f"0{digits}",
        f"{digits}0",
        f"{digits}00",
        f"{whole}.",
        f"{whole}.0",
    )
    yield from (
        f"-{digits}",
        f"{MINUS}{digits}",
        f"+{digits}",
        f"{FULL_WIDTH}{digits[1:]}",
        f"{digits}e0",
        "",
    )
    yield from (
        f"{whole},{part}",
        f"{whole[:2]},{whole[2:]}",
        f"{whole[:1]},{whole[1:]}",
        whole[:-1],
        f"{whole}1",
    )


def is_read(money, text):
    try:
        TypedMoney(money).clean(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("money", SUMS, ids=str)
def test_page_and_server_read_the_same(portal, money):
    portal.evaluate(f"document.querySelector('main').insertAdjacentHTML('beforeend', {json.dumps(FORM)})")

    found = {
        text: portal.evaluate(TYPE, [money.text, str(money), text])
        for text in dict.fromkeys(spellings(money))
    }

    assert found == {text: is_read(money, text) for text in found}
    assert True in found.values()
    assert False in found.values()
