"""Two connections at once: threads with connections of their own, on committed rows."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from apps.approvals.contracts import ApprovalStatus, Named, NewStep
from apps.approvals.models import ApprovalDecision, ApprovalRequest
from apps.approvals.selectors import authority
from apps.approvals.services import decisions, requests
from apps.audit.services import records
from apps.kit.errors import DomainError
from tests.factories import approvals as make

TWO_OF_GROUP = (NewStep(roles=("approver",), needed=2),)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run each call in a thread with its own connection, all released together; return results or refusals."""
    organisation, gate = connection.tenant, threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        connection.set_tenant(organisation)
        try:
            gate.wait(10)
            results[place] = call()
        except DomainError as refusal:
            results[place] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def approving(request, by):
    return lambda: make.approve(request, by)


def refusing(request, by):
    return lambda: make.refuse(request, by)


@pytest.mark.parametrize("round_", range(3))
def test_the_last_needed_approval_decides_once(committed_acme, round_):
    request = make.waiting(steps=TWO_OF_GROUP)
    people = [make.person(f"p{number}") for number in range(4)]

    results = at_once(*[approving(request, person) for person in people])

    assert make.reload(request).status == ApprovalStatus.APPROVED
    assert make.told(request.id) == ["approval_requested", "approval_decided"]
    assert ApprovalDecision.objects.count() == 2
    assert sum(isinstance(result, decisions.RequestClosed) for result in results) == 2


def test_one_person_twice_counts_once(committed_acme):
    request = make.waiting(steps=TWO_OF_GROUP)
    checker = make.person()

    results = at_once(*[approving(request, make.key_of(checker, number)) for number in range(4)])

    assert sum(isinstance(result, authority.DecidedBefore) for result in results) == 3
    assert make.reload(request).status == ApprovalStatus.PENDING
    assert ApprovalDecision.objects.count() == 1


@pytest.mark.parametrize("round_", range(3))
def test_approval_and_refusal_never_both_win(committed_acme, round_):
    request = make.waiting()

    at_once(approving(request, make.person("a")), refusing(request, make.person("b")))

    found = make.reload(request)
    decision = ApprovalDecision.objects.get()
    assert found.status == decision.verdict
    assert make.told(request.id) == ["approval_requested", "approval_decided"]


@pytest.mark.parametrize("round_", range(3))
def test_an_edit_and_an_approval_never_meet(committed_acme, round_):
    request = make.waiting()
    maker, checker, seen = make.maker(), make.person(), request.payload_hash

    edit, approval = at_once(
        lambda: make.amend(request, maker),
        lambda: make.approve(request, checker, payload_hash=seen),
    )

    found = make.reload(request)
    if found.status == ApprovalStatus.APPROVED:
        assert (found.payload_hash, found.payload_version) == (seen, 1)
        assert isinstance(edit, decisions.RequestClosed)
    else:
        assert found.payload_version == 2
        assert isinstance(approval, decisions.PayloadChanged)


def test_the_same_deed_is_asked_once(committed_acme):
    make.rule()
    wanted, maker = make.wanted(), make.maker()

    results = at_once(*[lambda: requests.submit(request=wanted, actor=maker, now=make.NOW)] * 5)

    assert len({result.id for result in results}) == 1
    assert ApprovalRequest.objects.count() == 1
    assert make.told(results[0].id) == ["approval_requested"]


def test_withdrawal_and_expiry_end_once(committed_acme):
    request = make.waiting()
    maker = make.maker()

    at_once(
        lambda: requests.withdraw(request_id=request.id, actor=maker, now=make.TOO_LATE, reason="Not needed"),
        *[lambda: requests.expire(request_id=request.id, now=make.TOO_LATE)] * 3,
    )

    assert make.reload(request).status in {ApprovalStatus.WITHDRAWN, ApprovalStatus.EXPIRED}
    assert make.told(request.id) == ["approval_requested", "approval_decided"]


@pytest.mark.parametrize("by_key", [False, True])
def test_the_same_person_twice_where_one_is_enough_decides_once(committed_acme, by_key):
    request, checker = make.waiting(), make.person()
    again = make.key_of(checker) if by_key else checker

    results = at_once(approving(request, checker), approving(request, again), approving(request, again))

    assert sum(isinstance(result, ApprovalRequest) for result in results) == 1
    assert all(isinstance(result, ApprovalRequest | decisions.RequestClosed) for result in results)
    assert ApprovalDecision.objects.count() == 1
    assert make.told(request.id) == ["approval_requested", "approval_decided"]


def test_two_people_where_one_is_enough_decide_once(committed_acme):
    request = make.waiting()
    people = [make.person(f"p{number}") for number in range(3)]

    results = at_once(*[approving(request, person) for person in people])

    assert sum(isinstance(result, decisions.RequestClosed) for result in results) == 2
    assert ApprovalDecision.objects.count() == 1
    assert make.told(request.id) == ["approval_requested", "approval_decided"]


@pytest.mark.parametrize("ending", ["withdraw", "expire"])
def test_approval_and_the_other_end_never_both_come(committed_acme, ending):
    request, maker, checker = make.waiting(), make.maker(), make.person()
    last = make.TOO_LATE - timedelta(seconds=1)
    end = {
        "withdraw": lambda: requests.withdraw(
            request_id=request.id, actor=maker, now=last, reason="Not needed"
        ),
        "expire": lambda: requests.expire(request_id=request.id, now=make.TOO_LATE),
    }[ending]

    _, approval = at_once(end, lambda: make.approve(request, checker, now=last))

    found = make.reload(request)
    is_approved = found.status == ApprovalStatus.APPROVED
    assert is_approved == isinstance(approval, ApprovalRequest)
    assert found.status in {ApprovalStatus.APPROVED, ApprovalStatus.WITHDRAWN, ApprovalStatus.EXPIRED}
    assert ApprovalDecision.objects.count() == is_approved
    assert make.told(request.id) == ["approval_requested", "approval_decided"]


def test_an_approval_and_an_edit_of_what_it_names_have_one_order(committed_acme):
    checker = make.person()
    request = make.waiting(names=(Named("beneficiary", "ben_1"),))

    def edit() -> None:
        records.write(
            action="beneficiary.changed",
            object_type="beneficiary",
            object_id="ben_1",
            actor=checker,
            now=make.LATER,
        )

    _, approval = at_once(edit, approving(request, checker))

    is_approved = make.reload(request).status == ApprovalStatus.APPROVED
    assert is_approved == isinstance(approval, ApprovalRequest)
    assert is_approved or isinstance(approval, authority.OwnChange)
    assert ApprovalDecision.objects.count() == is_approved
