"""Count parts: a sum that is split in several deeds needs what the whole of it needs."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.access.contracts import LimitKind
from apps.access.selectors.limits import LimitExceeded
from apps.access.services import limits
from apps.approvals.contracts import ApprovalStatus, CountedBy, NewStep
from apps.approvals.models import ApprovalRequest, CountedDeed, SplitPart
from apps.approvals.selectors import splits
from apps.approvals.services import requests, rules, strictness
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from tests.approvals.test_two_connections import at_once
from tests.events.test_relay_at_once import in_thread
from tests.factories import access, payments
from tests.factories import approvals as make
from tests.factories import refunds as returned
from tests.running import wait_for

NOW = make.NOW
PAYER = "+254712345678"
DAY = {"window_hours": 24, "window_by": CountedBy.COUNTERPARTY}


def kes(whole: int) -> Money:
    return Money(whole * 100, "KES")


def ask(whole: int, *, at=NOW, by=None, **facts):
    wanted = make.wanted(**{"money": kes(whole), "counterparty": PAYER, **facts})
    return requests.submit(request=wanted, actor=by or make.maker(), now=at)


def steps_of(request: ApprovalRequest):
    steps = request.steps.filter(payload_version=request.payload_version).order_by("sequence")
    return [(step.roles, step.needed) for step in steps]


def test_the_part_that_passes_the_band_waits_and_names_the_others(acme):
    rule = make.rule(**DAY)
    assert ask(4_000) is None
    assert ask(5_000, subject_reference="re_2") is None

    request = ask(1_000, subject_reference="re_3")

    assert request is not None
    assert (request.rule_id, request.money, steps_of(request)) == (
        rule.id,
        kes(1_000),
        [(["approver", "owner"], 1)],
    )
    assert [(deed.subject_reference, deed.money) for deed in splits.parts_of(request)] == [
        ("re_2", kes(5_000)),
        ("re_1", kes(4_000)),
    ]
    assert PAYER not in str(list(CountedDeed.objects.values_list("counterparty", flat=True)))


def test_the_next_band_is_that_of_the_whole_sum(acme):
    make.rule(**DAY, maximum_minor=50_000_00)
    make.rule(**DAY, minimum_minor=50_000_00, steps=(NewStep(roles=("controller",), needed=2),))
    first = ask(30_000)
    assert steps_of(first) == [(["approver", "owner"], 1)]
    assert splits.parts_of(first) == []

    second = ask(30_000, subject_reference="re_2")

    assert steps_of(second) == [(["approver", "owner"], 1), (["controller"], 2)]
    assert [deed.request_id for deed in splits.parts_of(second)] == [first.id]
    assert steps_of(make.reload(first)) == [(["approver", "owner"], 1)]


def test_who_approves_a_part_may_approve_the_whole(acme):
    make.rule(**DAY)
    ask(4_000)
    ask(5_000, subject_reference="re_2")
    request, checker = ask(1_000, subject_reference="re_3"), make.person("checker", "approver")
    for whole, said in ((9_999, "10,000.00"), (10_000, "")):
        wanted = {LimitKind.CREATE: (), LimitKind.APPROVE: (kes(whole),)}
        limits.put(code="approver", wanted=wanted, actor=SYSTEM, now=NOW)
        if said:
            with pytest.raises(LimitExceeded, match=said):
                make.approve(request, checker)

    assert make.approve(request, checker).status == ApprovalStatus.APPROVED


@pytest.mark.parametrize("above", [None, {}, {"window_hours": 2, "window_by": CountedBy.PERSON}])
def test_a_sum_past_the_band_of_the_window_does_not_end_the_counting(acme, above):
    rule = make.rule(**DAY, maximum_minor=50_000_00)
    if above is not None:
        two = (NewStep(roles=("controller",), needed=2),)
        higher = make.rule(minimum_minor=50_000_00, steps=two, **above)
    first = ask(45_000)

    part = ask(9_000, subject_reference="re_2")

    assert first is not None
    assert part is not None
    assert [deed.request_id for deed in splits.parts_of(part)] == [first.id]
    if above is None:
        assert (part.rule_id, steps_of(part)) == (rule.id, [(["approver", "owner"], 1)])
    else:
        assert (part.rule_id, steps_of(part)) == (higher.id, [(["controller"], 2)])


@pytest.mark.parametrize(
    ("by", "same", "other"),
    [
        (CountedBy.COUNTERPARTY, {"by": "other"}, {"counterparty": "+254700000000"}),
        (CountedBy.COUNTERPARTY, {"application": "other"}, {"counterparty": ""}),
        (CountedBy.PERSON, {"counterparty": ""}, {"by": "other"}),
        (CountedBy.APPLICATION, {"by": "other", "counterparty": ""}, {"application": "other"}),
    ],
)
def test_only_what_belongs_together_is_counted(acme, by, same, other):
    make.rule(window_hours=24, window_by=by)

    def asked(facts):
        facts = dict(facts)
        if "by" in facts:
            facts["by"] = make.person(facts["by"], "treasury_officer")
        if "application" in facts:
            facts["application_id"] = access.application(facts.pop("application")).id
        return ask(6_000, **facts)

    assert asked({}) is None
    assert asked(other) is None
    assert asked(same) is not None


def test_what_is_past_or_not_done_or_of_another_kind_does_not_count(acme):
    make.rule(**DAY)
    late = NOW + timedelta(hours=24)
    ask(9_000)
    assert ask(9_000, at=late) is None
    for act in (
        lambda request: make.refuse(request, make.person(), now=late),
        lambda request: requests.withdraw(
            request_id=request.id, actor=make.maker(), now=late, reason="Not needed"
        ),
        lambda request: requests.expire(request_id=request.id, now=late + timedelta(days=4)),
    ):
        act(ask(90_000, at=late))
    later = late + timedelta(hours=1)
    assert ask(999, at=later) is None
    assert ask(9_000, at=later, money=Money(9_000_00, "USD")) is None
    assert not SplitPart.objects.exists()
    assert ask(1, at=later) is not None


def test_a_repeat_of_a_deed_counts_once(acme):
    make.rule(**DAY)
    subject = ids.new()

    for _ in range(3):
        assert ask(6_000, subject_id=subject) is None

    assert CountedDeed.objects.count() == 1


def test_an_edit_is_weighed_with_the_others(acme):
    make.rule(**DAY, maximum_minor=50_000_00)
    make.rule(**DAY, minimum_minor=50_000_00, steps=(NewStep(roles=("controller",), needed=2),))
    first, second = ask(20_000), ask(20_000, subject_reference="re_2")
    assert second.step_count == 1

    second = make.amend(second, make.maker(), money=kes(30_000))

    assert steps_of(second) == [(["approver", "owner"], 1), (["controller"], 2)]
    assert [deed.request_id for deed in splits.parts_of(second)] == [first.id]
    third = ask(1, subject_reference="re_3")
    assert sum(deed.money.minor for deed in splits.parts_of(third)) == 40_000_00
    assert third.step_count == 1 or steps_of(third)[-1] == (["controller"], 2)


def test_a_window_counts_what_was_done_before_there_was_one(acme):
    make.rule()
    assert ask(6_000) is None
    assert ask(3_000, at=NOW - timedelta(hours=25)) is None

    make.rule(**DAY, priority=1)

    assert ask(3_999) is None
    assert [deed.money for deed in splits.parts_of(ask(1))] == [kes(3_999), kes(6_000)]


def test_refunds_to_one_payer_are_counted_together(acme):
    make.rule(**DAY)

    first, second = (
        returned.requested(returned.paid(money=kes(6_000)), actor=make.maker()) for _ in range(2)
    )

    assert (first.approval_id is None, second.approval_id is None) == (True, False)
    assert payments.reload(first.intent_id).payer_phone == PAYER
    request = ApprovalRequest.objects.get()
    assert [deed.subject_reference for deed in splits.parts_of(request)] == [ids.encode("re", first.id)]


def test_a_branch_does_not_do_without_the_window(acme):
    make.rule(**DAY)
    branch = access.branch()

    def made(**facts):
        wanted = make.wanted_rule(branch_id=branch.id, **facts)
        return rules.create(rule=wanted, actor=SYSTEM, now=NOW, within={branch.id})

    for facts in ({}, {**DAY, "window_hours": 23}, {**DAY, "window_by": CountedBy.PERSON}):
        with pytest.raises(strictness.RuleTooLax):
            made(**facts)
    assert made(**{**DAY, "window_hours": 48}).window_hours == 48


@pytest.mark.parametrize(
    ("pointer", "facts"),
    [
        ("/window_hours", {**DAY, "window_hours": 721}),
        ("/window_by", {"window_hours": 24}),
        ("/remind_after_hours", {"remind_after_hours": 0}),
        ("/escalate_roles", {"escalate_after_hours": 5}),
        ("/escalate_roles", {"escalate_after_hours": 5, "escalate_roles": ("king",)}),
    ],
)
def test_refuses_times_that_cannot_be(acme, pointer, facts):
    with pytest.raises(rules.RuleInvalid) as refusal:
        make.rule(**facts)

    assert [error.pointer for error in refusal.value.errors] == [pointer]


def test_a_deed_that_is_asked_for_while_the_first_window_is_made_is_counted(committed_acme):
    make.rule()
    maker, is_asked, may_commit = make.maker(), threading.Event(), threading.Event()
    parts = [make.wanted(money=kes(6_000), counterparty=PAYER, subject_reference=f"re_{n}") for n in range(2)]
    window, results = make.wanted_rule(**DAY, priority=1), {}

    def first() -> None:
        with transaction.atomic():
            results["first"] = requests.submit(request=parts[0], actor=maker, now=NOW)
            is_asked.set()
            may_commit.wait(30)

    def second() -> None:
        results["second"] = requests.submit(request=parts[1], actor=maker, now=NOW)

    asking = in_thread(committed_acme, first)
    assert is_asked.wait(30)
    making = in_thread(committed_acme, lambda: rules.create(rule=window, actor=SYSTEM, now=NOW))
    wait_for(lambda: held_up() == 1 or not making.is_alive(), what="the window to be made, or to wait")
    following = in_thread(committed_acme, second)
    wait_for(
        lambda: held_up() == 2 or not following.is_alive(), what="the second part to be asked for, or to wait"
    )
    may_commit.set()
    for thread in (asking, making, following):
        thread.join(30)

    assert results["first"] is None
    assert [deed.money for deed in splits.parts_of(results["second"])] == [kes(6_000)]


def test_a_rule_that_gets_a_window_waits_for_deeds_before_it_is_held(committed_acme):
    rule, maker = make.rule(), make.maker()
    is_asked, may_go, results = threading.Event(), threading.Event(), {}
    small = make.wanted(money=kes(6_000), counterparty=PAYER, subject_reference="re_0")
    large = make.wanted(money=kes(60_000), counterparty=PAYER, subject_reference="re_1")
    window = make.wanted_rule(**DAY)

    def ask() -> None:
        with transaction.atomic():
            requests.submit(request=small, actor=maker, now=NOW)
            is_asked.set()
            may_go.wait(30)
            results["asked"] = requests.submit(request=large, actor=maker, now=NOW)

    def replace() -> None:
        results["made"] = rules.replace(rule_id=rule.id, rule=window, actor=SYSTEM, now=NOW)

    asking = in_thread(committed_acme, ask)
    assert is_asked.wait(30)
    replacing = in_thread(committed_acme, replace)
    wait_for(lambda: held_up() == 1, what="the window to wait")
    may_go.set()
    for thread in (asking, replacing):
        thread.join(30)

    assert (results["asked"].rule_id, results["made"].window_hours) == (rule.id, 24)


def held_up() -> int:
    """Count who waits for an advisory lock of this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return cursor.fetchone()[0]


@pytest.mark.parametrize("by", [CountedBy.COUNTERPARTY, CountedBy.PERSON])
def test_two_at_once_do_not_both_pass_under_the_band(committed_acme, by):
    make.rule(window_hours=24, window_by=by)
    maker = make.maker()
    parts = [make.wanted(money=kes(6_000), counterparty=PAYER, subject_reference=f"re_{n}") for n in range(3)]

    results = at_once(
        *[lambda part=part: requests.submit(request=part, actor=maker, now=NOW) for part in parts]
    )

    assert sum(result is None for result in results) == 1
    assert ApprovalRequest.objects.filter(status=ApprovalStatus.PENDING).count() == 2
    assert {len(splits.parts_of(request)) for request in ApprovalRequest.objects.all()} == {1, 2}
