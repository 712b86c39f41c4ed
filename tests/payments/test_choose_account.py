"""Choose account: the pure decision, for every payment, set of accounts, rules and history that can be drawn."""

from collections import Counter
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.kit.money import Money
from apps.payments.contracts import DropReason, NewRoutingRule, NewRoutingTarget, RoutingStrategy
from apps.payments.services.routing_choice import (
    ATTEMPTS_MAX,
    SAME_AGAIN,
    Before,
    Candidate,
    Past,
    Question,
    Rule,
    decide,
    fits,
    may_follow,
)

TUESDAY = datetime(2026, 11, 24, 10, 41, tzinfo=ZoneInfo("Africa/Nairobi"))
IDS = [UUID(int=number) for number in range(1, 7)]
BRANCH, OTHER, SHOP = UUID(int=101), UUID(int=102), UUID(int=103)


def kes(shillings):
    return Money(shillings * 100, "KES")


def question(number=1, **facts):
    asked = {
        "intent_id": UUID(int=number),
        "money": kes(1500),
        "methods": ("MPESA",),
        "branch_id": BRANCH,
        "application_id": SHOP,
        "at": TUESDAY,
    }
    return Question(**{**asked, **facts})


def account(account_id, **facts):
    usual = {"method": "MPESA", "minimum": kes(10), "maximum": kes(250_000)}
    return Candidate(**{"account_id": account_id, **usual, **facts})


def rule(*targets, number=900, **terms):
    named = tuple(
        NewRoutingTarget(*each) if isinstance(each, tuple) else NewRoutingTarget(each) for each in targets
    )
    return Rule(UUID(int=number), NewRoutingRule(name="Rule", position=1, targets=named, **terms))


def before(account_id, past, **facts):
    return Before(
        **{
            "account_id": account_id,
            "past": past,
            "tries": 1,
            "fallbacks": 0,
            **facts,
        }
    )


accounts = st.lists(
    st.builds(
        account,
        st.sampled_from(IDS[:5]),
        method=st.sampled_from(["MPESA", "CARD"]),
        minimum=st.sampled_from([kes(10), kes(2000)]),
        is_default=st.booleans(),
        is_foreign=st.booleans(),
        is_circuit_open=st.booleans(),
        is_misconfigured=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda each: each.account_id,
)
rules = st.lists(
    st.builds(
        lambda ids, is_split, currency, method: rule(
            *((each, 1 + each.int) if is_split else each for each in ids),
            strategy=RoutingStrategy.SPLIT if is_split else RoutingStrategy.PRIORITY,
            currency=currency,
            method=method,
        ),
        st.lists(st.sampled_from(IDS), min_size=1, max_size=4, unique=True),
        st.booleans(),
        st.sampled_from(["", "KES", "USD"]),
        st.sampled_from([None, "MPESA", "CARD"]),
    ),
    max_size=2,
)
histories = st.none() | st.builds(
    before,
    st.sampled_from(IDS[:5]),
    st.sampled_from(Past),
    tries=st.integers(0, 4),
    fallbacks=st.integers(0, 2),
)


methods = st.permutations(["MPESA", "CARD"]).flatmap(lambda order: st.sampled_from([order, order[:1]]))


@settings(max_examples=300)
@given(accounts, rules, histories, methods, st.integers(1, 1000))
def test_no_decision_breaks_a_promise(found, in_use, past, named, number):
    asked = question(number, methods=tuple(named))
    found = [each for each in found if each.method in named]

    decision = decide(asked, accounts=found, rules=in_use, before=past)

    assert decision == decide(asked, accounts=found, rules=in_use, before=past)
    known = {each.account_id: each for each in found}
    assert not set(decision.candidates) & set(decision.dropped)
    assert len(set(decision.candidates)) == len(decision.candidates)
    if decision.chosen is None:
        return
    chosen = known[decision.chosen]
    assert chosen.minimum <= asked.money <= chosen.maximum
    assert not chosen.is_foreign
    named = {target.account_id for each in in_use for target in each.terms.targets}
    assert chosen.is_default or chosen.account_id in named
    if past is None:
        assert not decision.is_fallback
        return
    assert past.past in {Past.NOT_SENT, Past.HELD_BACK, Past.REFUSED_BY_ACCOUNT}
    assert past.tries < ATTEMPTS_MAX
    assert decision.is_fallback == (chosen.account_id != past.account_id)
    if decision.is_fallback:
        assert past.fallbacks == 0
        assert not chosen.is_circuit_open
    else:
        assert past.past in SAME_AGAIN
    assert may_follow(decision, past)


def test_without_rules_the_accounts_of_the_branch_stand_in_their_order():
    found = [account(IDS[0]), account(IDS[1]), account(IDS[2], is_default=False)]

    decision = decide(question(), accounts=found, rules=[])

    assert (decision.candidates, decision.rule_id, decision.dropped) == ((IDS[0], IDS[1]), None, {})


def test_the_first_rule_that_fits_decides_and_says_what_it_could_not_use():
    found = [account(IDS[0]), account(IDS[1], is_default=False), account(IDS[2], maximum=kes(100))]
    dollars = rule(IDS[0], number=901, currency="USD")
    wanted = rule(IDS[5], IDS[2], IDS[1], number=902)

    decision = decide(question(), accounts=found, rules=[dollars, wanted, rule(IDS[0])])

    assert decision.candidates == (IDS[1], IDS[0])
    assert decision.rule_id == wanted.id
    assert decision.dropped == {IDS[5]: DropReason.UNAVAILABLE, IDS[2]: DropReason.AMOUNT}


def test_an_unwell_account_gives_way_and_is_taken_where_no_other_is_well():
    shut = account(IDS[0], is_circuit_open=True)
    wrong = account(IDS[1], is_misconfigured=True)

    gives_way = decide(question(), accounts=[shut, wrong, account(IDS[2])], rules=[])
    waits = decide(question(), accounts=[shut, wrong], rules=[])

    assert gives_way.candidates == (IDS[2],)
    assert gives_way.dropped == {IDS[0]: DropReason.CIRCUIT_OPEN, IDS[1]: DropReason.CONFIGURATION}
    assert (waits.candidates, waits.dropped) == ((IDS[0], IDS[1]), {})


def test_shares_are_kept_and_an_account_that_drops_out_moves_its_own_payments_alone():
    found = [account(each) for each in IDS[:3]]
    split = rule((IDS[0], 6), (IDS[1], 3), (IDS[2], 1), strategy=RoutingStrategy.SPLIT)
    numbers = range(1, 2001)

    whole = {n: decide(question(n), accounts=found, rules=[split]).chosen for n in numbers}
    without = {n: decide(question(n), accounts=found[1:], rules=[split]).chosen for n in numbers}

    counted = Counter(whole.values())
    assert [round(counted[each] / len(numbers), 1) for each in IDS[:3]] == [0.6, 0.3, 0.1]
    assert all(without[n] == whole[n] for n in numbers if whole[n] != IDS[0])


def test_of_several_methods_the_preferred_one_comes_first_unless_a_rule_of_all_says_otherwise():
    phone, card, other = account(IDS[0]), account(IDS[1], method="CARD"), account(IDS[2], method="CARD")
    found = [phone, card, other]
    both = question(methods=("MPESA", "CARD"))
    of_cards, of_all = rule(IDS[2], method="CARD", number=901), rule(IDS[2], IDS[0], number=902)

    plain = decide(both, accounts=found, rules=[])
    within = decide(both, accounts=found, rules=[of_cards])
    across = decide(both, accounts=found, rules=[of_all, of_cards])

    assert (plain.candidates, plain.rule_id) == ((IDS[0], IDS[1], IDS[2]), None)
    assert (within.candidates, within.rule_id) == ((IDS[0], IDS[2], IDS[1]), None)
    assert (across.candidates, across.rule_id) == ((IDS[2], IDS[0], IDS[1]), of_all.id)


def test_where_the_preferred_method_cannot_take_it_the_rule_of_the_next_one_holds():
    found = [
        account(IDS[0], maximum=kes(100)),
        account(IDS[1], method="CARD"),
        account(IDS[2], method="CARD"),
    ]
    of_cards = rule(IDS[2], method="CARD")

    decision = decide(question(methods=("MPESA", "CARD")), accounts=found, rules=[of_cards])

    assert (decision.candidates, decision.rule_id) == ((IDS[2], IDS[1]), of_cards.id)
    assert decision.dropped == {IDS[0]: DropReason.AMOUNT}


@pytest.mark.parametrize("past", [Past.OPEN, Past.REFUSED])
def test_nothing_follows_what_is_open_or_was_refused_by_the_payer(past):
    found = [account(IDS[0]), account(IDS[1])]

    assert decide(question(), accounts=found, rules=[], before=before(IDS[0], past)).chosen is None


def test_a_failure_that_is_known_leads_to_another_account_once():
    found = [account(IDS[0]), account(IDS[1], is_circuit_open=True), account(IDS[2])]

    first = decide(question(), accounts=found, rules=[], before=before(IDS[0], Past.REFUSED_BY_ACCOUNT))
    second = decide(question(), accounts=found, rules=[], before=before(IDS[2], Past.NOT_SENT, fallbacks=1))
    third = decide(
        question(), accounts=found, rules=[], before=before(IDS[2], Past.REFUSED_BY_ACCOUNT, fallbacks=1)
    )

    assert (first.chosen, first.is_fallback) == (IDS[2], True)
    assert first.dropped == {IDS[0]: DropReason.TRIED, IDS[1]: DropReason.CIRCUIT_OPEN}
    assert (second.chosen, second.is_fallback) == (IDS[2], False)
    assert third.chosen is None


@pytest.mark.parametrize(
    ("terms", "is_fitting"),
    [
        ({}, True),
        ({"minimum_minor": 1500_00, "currency": "KES"}, True),
        ({"maximum_minor": 1500_00, "currency": "KES"}, False),
        ({"minimum_minor": 1500_01, "currency": "KES"}, False),
        ({"currency": "USD"}, False),
        ({"branch_id": BRANCH, "application_id": SHOP, "method": "MPESA"}, True),
        ({"branch_id": OTHER}, False),
        ({"application_id": OTHER}, False),
        ({"method": "CARD"}, False),
        ({"weekdays": "2"}, True),
        ({"weekdays": "13"}, False),
        ({"from_time": time(10, 41), "to_time": time(11)}, True),
        ({"from_time": time(9), "to_time": time(10, 41)}, False),
        ({"from_time": time(22), "to_time": time(11)}, True),
        ({"from_time": time(22), "to_time": time(6)}, False),
    ],
)
def test_a_rule_fits_by_all_of_its_conditions(terms, is_fitting):
    assert fits(rule(IDS[0], **terms).terms, question(), "MPESA") is is_fitting
