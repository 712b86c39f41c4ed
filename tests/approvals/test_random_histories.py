"""Random histories: whatever people do in whatever order, nothing is approved by too few, too late or its maker."""

from datetime import timedelta

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from apps.approvals.contracts import ApprovalStatus, NewStep, payload_hash
from apps.approvals.models import ApprovalDecision
from apps.approvals.services import requests
from apps.kit.errors import DomainError
from tests.factories import approvals as make

ROLES = {
    "maker": "treasury_officer",
    "ann": "approver",
    "ben": "approver",
    "cat": "approver",
    "dan": "controller",
    "eve": "owner",
}
PEOPLE = st.sampled_from(sorted(ROLES))
NOTES = st.integers(0, 2)
STEPS = st.lists(
    st.builds(
        NewStep,
        roles=st.sampled_from([("approver",), ("controller", "owner"), ("approver", "owner")]),
        needed=st.integers(1, 2),
    ),
    min_size=1,
    max_size=2,
).map(tuple)


def content(note: int) -> dict[str, str]:
    return make.payload(note=str(note))


class Approvals(RuleBasedStateMachine):
    """One request, six people, each in the portal and by a key; beside it a model in plain Python."""

    def __init__(self) -> None:
        super().__init__()
        self.frame = transaction.atomic()
        self.frame.__enter__()
        self.now = make.NOW
        self.people = {name: make.person(name, role) for name, role in ROLES.items()}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.frame.__exit__(None, None, None)

    @initialize(steps=STEPS)
    def submit(self, steps: tuple[NewStep, ...]) -> None:
        self.steps = steps
        self.request = make.waiting(by=self.people["maker"], steps=steps, payload=content(0))
        self.status, self.note, self.makers = ApprovalStatus.PENDING, 0, {"maker"}
        self.approved: list[set[str]] = [set() for _ in steps]

    def actor(self, name: str, by_key: bool):
        return make.key_of(self.people[name]) if by_key else self.people[name]

    @property
    def in_time(self) -> bool:
        return self.now < make.TOO_LATE

    @property
    def step(self) -> int:
        """The first step that lacks people."""
        return next(place for place, s in enumerate(self.steps) if len(self.approved[place]) < s.needed)

    def may_decide(self, name: str, note: int) -> bool:
        return (
            self.status == ApprovalStatus.PENDING
            and self.in_time
            and note == self.note
            and name not in self.makers
            and not any(name in people for people in self.approved)
            and ROLES[name] in self.steps[self.step].roles
        )

    def attempt(self, expected: bool, act) -> None:
        try:
            with transaction.atomic():
                act()
        except DomainError:
            assert not expected
        else:
            assert expected

    @rule(name=PEOPLE, by_key=st.booleans(), note=NOTES)
    def approve(self, name: str, by_key: bool, note: int) -> None:
        may = self.may_decide(name, note)
        act = lambda: make.approve(  # noqa: E731 (one call, run once)
            self.request, self.actor(name, by_key), payload_hash=payload_hash(content(note)), now=self.now
        )
        self.attempt(may, act)
        if may:
            self.approved[self.step].add(name)
            if all(len(people) >= s.needed for people, s in zip(self.approved, self.steps, strict=True)):
                self.status = ApprovalStatus.APPROVED

    @rule(name=PEOPLE, by_key=st.booleans(), note=NOTES)
    def refuse(self, name: str, by_key: bool, note: int) -> None:
        may = self.may_decide(name, note)
        act = lambda: make.refuse(  # noqa: E731 (one call, run once)
            self.request, self.actor(name, by_key), payload_hash=payload_hash(content(note)), now=self.now
        )
        self.attempt(may, act)
        if may:
            self.status = ApprovalStatus.REFUSED

    @rule(name=PEOPLE, by_key=st.booleans(), note=NOTES)
    def amend(self, name: str, by_key: bool, note: int) -> None:
        may = self.status == ApprovalStatus.PENDING and self.in_time
        act = lambda: make.amend(  # noqa: E731 (one call, run once)
            self.request, self.actor(name, by_key), payload=content(note), now=self.now
        )
        self.attempt(may, act)
        if may and note != self.note:
            self.note = note
            self.makers.add(name)
            self.approved = [set() for _ in self.steps]

    @rule(name=PEOPLE, by_key=st.booleans())
    def withdraw(self, name: str, by_key: bool) -> None:
        may = self.status == ApprovalStatus.PENDING and name in self.makers
        act = lambda: requests.withdraw(  # noqa: E731 (one call, run once)
            request_id=self.request.id, actor=self.actor(name, by_key), now=self.now, reason="Not needed"
        )
        self.attempt(may, act)
        if may:
            self.status = ApprovalStatus.WITHDRAWN

    @rule()
    def expire(self) -> None:
        requests.expire(request_id=self.request.id, now=self.now)
        if self.status == ApprovalStatus.PENDING and not self.in_time:
            self.status = ApprovalStatus.EXPIRED

    @rule(hours=st.integers(1, 40))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def agrees_with_the_model(self) -> None:
        found = make.reload(self.request)
        assert found.status == self.status
        assert found.payload_hash == payload_hash(content(self.note))
        assert make.told(found.id).count("approval_decided") == (self.status != ApprovalStatus.PENDING)

    @invariant()
    def is_approved_by_enough_other_people(self) -> None:
        found = make.reload(self.request)
        decisions = ApprovalDecision.objects.filter(
            request=found, payload_hash=found.payload_hash, payload_version=found.payload_version
        )
        people = list(decisions.values_list("person", flat=True))
        made = {self.people[name].person for name in self.makers}
        assert len(people) == len(set(people))
        assert not made & set(people)
        if found.status == ApprovalStatus.APPROVED:
            for step in found.steps.filter(payload_version=found.payload_version):
                assert decisions.filter(step=step.sequence, verdict="APPROVED").count() >= step.needed


def test_random_histories_agree_with_the_model(acme):
    for name, role in ROLES.items():
        make.person(name, role)

    run_state_machine_as_test(
        Approvals,
        settings=settings(
            max_examples=20,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
