"""What refusals stand for: an organisation's rule before our table, never less careful than it."""

import pytest
from django.test import Client

from apps.audit.models import AuditRecord
from apps.integrations.contracts import MPESA, ErrorRule, Flow
from apps.integrations.models import ProviderErrorRule
from apps.integrations.ports import Outcome, ProviderDeclined, ProviderUncertain, RefundOutcome
from apps.integrations.services import error_rules
from apps.integrations.services.ruled import Ruled
from apps.kit.actors import SYSTEM
from tests import dialogs
from tests.factories import access
from tests.factories.integrations import NOW
from tests.integrations import daraja
from tests.integrations.daraja import parsed, refused

LIST = "/portal/integrations/providererrorrule/"


def put(code="1032", reason_code="expired", flow=Flow.COLLECTION, **said):
    rule = ErrorRule(MPESA, flow, code, reason_code, **said)
    return error_rules.put(rule=rule, actor=SYSTEM, now=NOW)


def ruled(port, flow=Flow.COLLECTION):
    return Ruled(port, MPESA, flow)


def test_a_report_of_a_refusal_is_said_in_the_words_of_the_rule(acme):
    port, _ = daraja.stk()
    before = ruled(port).read_callback(parsed("stk_callback_cancelled.json"))
    put(payer_message="You closed the prompt.")

    report = ruled(port).read_callback(parsed("stk_callback_cancelled.json"))

    assert (before.reason_code, report.reason_code) == ("customer_cancelled", "expired")
    assert (report.outcome, report.message) == (Outcome.DECLINED, "You closed the prompt.")
    assert report.provider_code == "1032"


def test_a_rule_holds_in_its_flow_alone_and_touches_no_success(acme):
    put("1032", flow=Flow.REFUND)
    put("0", "limit_exceeded")
    port, _ = daraja.stk()

    cancelled = ruled(port).read_callback(parsed("stk_callback_cancelled.json"))
    paid = ruled(port).read_callback(parsed("stk_callback_success.json"))

    assert cancelled.reason_code == "customer_cancelled"
    assert (paid.outcome, paid.reason_code) == (Outcome.COLLECTED, "")


def test_the_words_of_a_shared_code_tell_its_meanings_apart_and_the_longest_wins(acme):
    put("400.002.02", "configuration")
    put("400.002.02", "limit_exceeded", contains="AMOUNT")
    put("400.002.02", "amount_too_large", contains="invalid amount")

    found = []
    for words in ("Invalid PartyB", "amount is odd", "Bad Request - Invalid Amount"):
        port, _ = daraja.stk(refused("400.002.02", words, 400))
        with pytest.raises(ProviderDeclined) as refusal:
            ruled(port).request(daraja.order())
        found.append(refusal.value.code)

    assert found == ["configuration", "limit_exceeded", "amount_too_large"]


def test_a_refusal_may_become_an_open_outcome_and_an_open_one_never_a_refusal(acme):
    put("400.002.02", "invalid_request", is_open=True)
    put("500.003.1001", "invalid_request")
    made_open, _ = daraja.stk(refused("400.002.02", "Bad Request", 400))
    open_anyway, _ = daraja.stk(refused("500.003.1001", "Internal Server Error"))

    for port in (made_open, open_anyway):
        with pytest.raises(ProviderUncertain):
            ruled(port).request(daraja.order())


def test_a_refusal_says_that_another_account_may_ask_where_its_rule_does(acme):
    port, _ = daraja.stk(refused("400.002.02", "Bad Request", 400))
    with pytest.raises(ProviderDeclined) as before:
        ruled(port).request(daraja.order())
    put("400.002.02", "configuration", may_fall_back=True)
    put("1025", "prompt_failed", may_fall_back=True)
    port, _ = daraja.stk(refused("400.002.02", "Bad Request", 400))
    not_shown = parsed("stk_callback_cancelled.json")
    not_shown["Body"]["stkCallback"]["ResultCode"] = 1025

    with pytest.raises(ProviderDeclined) as refusal:
        ruled(port).request(daraja.order())
    report = ruled(port).read_callback(not_shown)

    assert (before.value.may_fall_back, refusal.value.may_fall_back) == (False, True)
    assert (report.outcome, report.may_fall_back) == (Outcome.DECLINED, True)


@pytest.mark.parametrize(
    ("provider", "code", "reason_code"),
    [
        (MPESA, "1032", "customer_cancelled"),
        (MPESA, "1032", "configuration"),  # whatever the rule calls it, the payer said no
        (MPESA, "17", "provider_unavailable"),  # something was paid moments ago
        (MPESA, "4242", "insufficient_funds"),  # not known to us, and the payer's by the rule itself
        ("stripe", "generic_decline", "provider_unavailable"),
        ("stripe", "customer_cancelled", "provider_unavailable"),  # a code of ours, where Stripe gives none
        ("paypal", "ORDER_ALREADY_CAPTURED", "configuration"),
    ],
)
def test_no_rule_has_another_account_ask_after_what_the_payer_said(acme, provider, code, reason_code):
    rule = ErrorRule(provider, Flow.COLLECTION, code, reason_code, may_fall_back=True)

    with pytest.raises(error_rules.ErrorRuleInvalid) as refusal:
        error_rules.put(rule=rule, actor=SYSTEM, now=NOW)

    assert [error.pointer for error in refusal.value.errors] == ["/may_fall_back"]
    assert not ProviderErrorRule.objects.exists()


def test_of_a_code_with_many_meanings_those_that_are_the_payers_ask_no_other_account(acme):
    put("500.001.1001", "configuration", may_fall_back=True)

    found = []
    for words in ("Merchant does not exist", "Unable to lock subscriber"):
        port, _ = daraja.stk(refused("500.001.1001", words))
        with pytest.raises(ProviderDeclined) as refusal:
            ruled(port).request(daraja.order())
        found.append((refusal.value.code, refusal.value.may_fall_back))

    assert found == [("configuration", True), ("configuration", False)]


def test_a_rule_is_replaced_and_retired_with_a_record_of_each(acme):
    first = put(reason_code="expired")
    second = put(reason_code="limit_exceeded")
    port, _ = daraja.stk()

    for _ in range(2):
        error_rules.retire(rule_id=first.id, actor=SYSTEM, now=NOW, reason="Not so any more")

    assert (first.id, ProviderErrorRule.objects.count()) == (second.id, 1)
    report = ruled(port).read_callback(parsed("stk_callback_cancelled.json"))
    assert report.reason_code == "customer_cancelled"
    told = AuditRecord.objects.filter(object_type="provider_error_rule").order_by("id")
    assert [(record.action.rpartition(".")[2], record.changes) for record in told] == [
        (
            "put",
            {
                "reason_code": [None, "expired"],
                "is_open": [None, False],
                "payer_message": [None, ""],
                "may_fall_back": [None, False],
            },
        ),
        ("put", {"reason_code": ["expired", "limit_exceeded"]}),
        ("retire", {"is_enabled": [True, False]}),
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": ""}, "/code"),
        ({"code": " 1032"}, "/code"),
        ({"code": "1" * 33}, "/code"),
        ({"reason_code": "nonsense"}, "/reason_code"),
        ({"contains": "x" * 101}, "/contains"),
        ({"payer_message": "\x00"}, "/payer_message"),
        ({"is_open": True, "may_fall_back": True}, "/may_fall_back"),
        ({"retry_after_seconds": 0}, "/retry_after_seconds"),
        ({"retry_after_seconds": 3601}, "/retry_after_seconds"),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused(acme, wrong, field):
    with pytest.raises(error_rules.ErrorRuleInvalid) as refusal:
        put(**wrong)

    assert [error.pointer for error in refusal.value.errors] == [field]
    assert not ProviderErrorRule.objects.exists()


def test_a_person_puts_a_rule_and_retires_it(acme, in_organisation):
    browser = Client(HTTP_HOST="acme.testserver")
    browser.force_login(access.member("owner").user, backend="apps.access.backend.MembershipBackend")
    asked = {"provider": MPESA, "flow": "COLLECTION", "code": "1032", "reason_code": "expired"}

    put_answer = dialogs.send(browser, f"{LIST}do/put/", **asked)
    in_organisation("acme")
    rule = ProviderErrorRule.objects.get()
    shown = browser.get(LIST).content.decode()
    retired = dialogs.send(browser, f"{LIST}{rule.id}/do/retire/", reason="Not so any more")
    in_organisation("acme")

    assert (put_answer.status_code, retired.status_code) == (204, 204)
    assert "In force" in shown
    rule.refresh_from_db()
    assert not rule.is_enabled


def test_a_result_that_says_no_may_be_left_open_by_a_rule(acme):
    put("1032", "expired", is_open=True)
    put("1", "float_insufficient", flow=Flow.REFUND, is_open=True)
    push, _ = daraja.stk()
    reversal, _ = daraja.refund_port()
    refused_back = parsed("reversal_already_reversed.json")
    refused_back["Result"]["ResultCode"] = 1

    report = ruled(push).read_callback(parsed("stk_callback_cancelled.json"))
    given_back = ruled(reversal, Flow.REFUND).read_result(refused_back)

    assert (report.outcome, report.reason_code) == (Outcome.PENDING, "expired")
    assert (given_back.outcome, given_back.reason_code) == (RefundOutcome.LOST, "float_insufficient")
