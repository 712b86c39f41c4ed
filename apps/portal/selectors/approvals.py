"""Approval requests for a person in the portal: the queue, and one request with what decides it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from apps.access.selectors import applications, memberships, roles
from apps.access.selectors.scope import Person, Principal
from apps.approvals.contracts import KINDS, RULE_CHANGE, ApprovalStatus, ReminderStage
from apps.approvals.selectors import requests, splits
from apps.kit.money import Money
from apps.ledger.contracts import JOURNAL, REVERSAL
from apps.portal.contracts import Badge
from apps.portal.selectors import handwritten, rule_changes, states, words
from apps.portal.selectors.handwritten import Planned

LATE_AFTER = timedelta(hours=24)
ROWS = 100
HANDWRITTEN = {JOURNAL.name, REVERSAL.name}


@dataclass(frozen=True, slots=True)
class QueueLine:
    """
    One request in the queue. ``is_mine``: the reader asked for it or edited it; ``is_for_me``: he may decide it now.
    """

    id: UUID
    title: str
    kind: str
    reference: str
    branch: str
    money: Money | None
    requester: str
    asked_at: datetime
    is_late: bool
    step: int
    step_count: int
    badge: Badge
    is_pending: bool
    is_mine: bool
    is_for_me: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """The lines of a tab, oldest first, and how many there are in each tab."""

    lines: tuple[QueueLine, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StepLine:
    number: int
    group: str
    further: str
    needed: int
    approved: int
    is_done: bool
    is_present: bool


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """``is_void``: it was about an earlier version."""

    name: str
    role: str
    badge: Badge
    step: int
    version: int
    reason: str
    at: datetime
    is_void: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the payload before and after an edit; empty where it was not there."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    number: int
    maker: str
    at: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class PartLine:
    """Another deed that belongs together with this one; ``url`` where the reader may look at its request."""

    reference: str
    money: Money
    at: datetime
    url: str


@dataclass(frozen=True, slots=True)
class ReminderLine:
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalDetail:
    """Everything that the page of a request shows; ``advice`` says why the reader has no buttons, if he has none."""

    line: QueueLine
    subject_url: str
    application: str
    expires_at: datetime
    decided_at: datetime | None
    reason: str
    payload_hash: str
    version: int
    facts: tuple[Change, ...]
    planned: Planned | None
    steps: tuple[StepLine, ...]
    decisions: tuple[DecisionLine, ...]
    edits: tuple[VersionLine, ...]
    parts: tuple[PartLine, ...]
    whole: Money | None
    reminders: tuple[ReminderLine, ...]
    advice: str


def waiting_for(person: Person, *, now: datetime) -> str:
    """Return how many requests this person may decide now, for the menu: 7, or 99+; empty for none."""
    found = requests.waits_for(person, now=now, most=ROWS)
    return "99+" if found == ROWS else str(found or "")


def queue(person: Principal, tab: str, *, now: datetime, since: datetime) -> Queue:
    """Return the requests of a tab (for_me, all, asked, done); ``since`` is the beginning of the reader's day."""
    visible, who = requests.visible_to(person), str(person.pk)
    tabs = {
        "for_me": requests.for_person(visible, who, now=now),
        "all": visible.pending(),
        "asked": requests.made_by_person(visible.pending(), who),
        "done": visible.filter(decided_at__gte=since),
    }
    rows = list(tabs[tab].order_by("id")[:ROWS])
    for_me = set(tabs["for_me"].filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    mine = set(
        requests.made_by_person(visible.filter(id__in=[row.id for row in rows]), who).values_list(
            "id", flat=True
        )
    )
    parts = splits.among(rows)
    names = memberships.names_of([row.requester for row in rows])
    return Queue(
        lines=tuple(
            _line(
                row,
                requester=names.get(row.requester) or requests.requester_name(row),
                is_mine=row.id in mine,
                is_for_me=row.id in for_me,
                is_part=row.id in parts,
                now=now,
            )
            for row in rows
        ),
        counts={name: rows_of.count() for name, rows_of in tabs.items()},
    )


def detail(request_id: UUID, person: Principal, *, now: datetime) -> ApprovalDetail:
    """Return one request; raise NotFound for one that the reader may not see."""
    request = requests.get(person, request_id)
    who = str(person.pk)
    visible = requests.visible_to(person).filter(id=request.id)
    line = _line(
        request,
        requester=requests.requester_name(request),
        is_mine=who in requests.makers(request),
        is_for_me=requests.for_person(visible, who, now=now).exists(),
        is_part=request.id in splits.among([request]),
        now=now,
    )
    versions, parts = list(requests.versions_of(request)), list(_parts(request, person))
    payload = versions[-1].payload
    planned = handwritten.planned(payload, person) if request.kind in HANDWRITTEN else None
    return ApprovalDetail(
        line=line,
        subject_url=_subject_url(request.kind, request.subject_id),
        application=applications.get(request.application_id).name,
        expires_at=request.expires_at,
        decided_at=request.decided_at,
        reason=request.reason,
        payload_hash=request.payload_hash,
        version=request.payload_version,
        facts=tuple(_facts(request.kind, payload)),
        planned=planned,
        steps=_steps(request),
        decisions=_decisions(request),
        edits=tuple(_edits(request.kind, versions)),
        parts=tuple(parts),
        whole=sum((part.money for part in parts), request.money) if parts and request.money else None,
        reminders=tuple(_reminders(request)),
        advice=_advice(request, line, who, now=now),
    )


def _line(
    request: Any, *, requester: str, is_mine: bool, is_for_me: bool, is_part: bool, now: datetime
) -> QueueLine:
    return QueueLine(
        id=request.id,
        title=request.summary,
        kind=str(KINDS[request.kind].title) if request.kind in KINDS else request.kind,
        reference=request.subject_reference,
        branch=request.branch.name,
        money=request.money,
        requester=requester,
        asked_at=request.created_at,
        is_late=request.is_pending and now - request.step_began_at >= _patience(request),
        step=request.current_step,
        step_count=request.step_count,
        badge=states.APPROVAL[ApprovalStatus(request.status)],
        is_pending=request.is_pending,
        is_mine=is_mine,
        is_for_me=is_for_me,
        warnings=tuple(_warnings(request, is_part=is_part)),
    )


def _warnings(request: Any, *, is_part: bool) -> Iterable[str]:
    """Produce what a decider looks at first."""
    if is_part:
        yield _("One of several")
    if request.payload_version > 1:
        yield _("Edited")


def _patience(request: Any) -> timedelta:
    """Return how long a request may wait at a step before it is late: as its rule says."""
    hours = request.rule.remind_after_hours if request.rule else None
    return timedelta(hours=hours) if hours else LATE_AFTER


def _subject_url(kind: str, subject_id: UUID) -> str:
    page = KINDS[kind].page if kind in KINDS else ""
    try:
        return reverse(page, args=[subject_id]) if page else ""
    except NoReverseMatch:
        return ""


def _steps(request: Any) -> tuple[StepLine, ...]:
    names, approved = roles.names(), requests.approved_by_step(request)
    return tuple(
        StepLine(
            number=step.sequence,
            group=", ".join(names.get(code, code) for code in step.roles),
            further=_further(step, names),
            needed=step.needed,
            approved=approved.get(step.sequence, 0),
            is_done=approved.get(step.sequence, 0) >= step.needed,
            is_present=request.is_pending and step.sequence == request.current_step,
        )
        for step in requests.steps_of(request)
    )


def _further(step: Any, names: Mapping[str, str]) -> str:
    """Return who else decides a step after some hours; empty for nobody."""
    if not step.further_roles:
        return ""
    group = ", ".join(names.get(code, code) for code in step.further_roles)
    return _("after %(hours)d hours also %(group)s") % {"hours": step.further_after_hours, "group": group}


def _decisions(request: Any) -> tuple[DecisionLine, ...]:
    names = roles.names()
    return tuple(
        DecisionLine(
            name=_named(decision),
            role=names.get(decision.role, decision.role),
            badge=states.VERDICT[decision.verdict],
            step=decision.step,
            version=decision.payload_version,
            reason=decision.reason,
            at=decision.decided_at,
            is_void=decision.payload_version != request.payload_version,
        )
        for decision in requests.decisions_of(request)
    )


def _named(decision: Any) -> str:
    """Return who decided, and for whom where that was delegated to him."""
    name = decision.membership.user.name
    if decision.delegation is None:
        return name
    return _("%(name)s for %(other)s") % {"name": name, "other": decision.delegation.delegator.user.name}


def _facts(kind: str, payload: Mapping[str, Any]) -> Iterable[Change]:
    """Produce what is decided; lines that will be booked are shown as such."""
    if kind == RULE_CHANGE.name:
        return (Change(*line) for line in rule_changes.lines(payload))
    without = {"lines"} if kind in HANDWRITTEN else set()
    return _changes({}, {field: said for field, said in payload.items() if field not in without})


def _edits(kind: str, versions: list[Any]) -> Iterable[VersionLine]:
    """Produce what each edit changed, the newest first; the first version is no edit."""
    for before, after in reversed(list(pairwise(versions))):
        yield VersionLine(
            number=after.number,
            maker=words.actor(after.made_by),
            at=after.created_at,
            changes=tuple(_changes(_said(kind, before.payload), _said(kind, after.payload))),
        )


def _said(kind: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a payload as its edits are compared."""
    return rule_changes.said(payload["wanted"]) if kind == RULE_CHANGE.name else payload


def _parts(request: Any, person: Principal) -> Iterable[PartLine]:
    """Produce the other deeds that the request is judged together with, the latest first."""
    deeds = splits.parts_of(request)
    seen = set(
        requests.visible_to(person)
        .filter(id__in=[deed.request_id for deed in deeds if deed.request_id])
        .values_list("id", flat=True)
    )
    for deed in deeds:
        url = reverse("portal-approval", args=[deed.request_id]) if deed.request_id in seen else ""
        yield PartLine(deed.subject_reference, deed.money, deed.created_at, url)


def _reminders(request: Any) -> Iterable[ReminderLine]:
    """Produce what was said of the present step because it waits."""
    names = roles.names()
    for reminder in requests.reminders_of(request):
        group = ", ".join(names.get(code, code) for code in reminder.roles)
        told = {
            ReminderStage.REMINDED: _("Reminded: %(group)s"),
            ReminderStage.ESCALATED: _("Also told: %(group)s"),
            ReminderStage.WIDENED: _("Decide it now too: %(group)s"),
        }[ReminderStage(reminder.stage)]
        yield ReminderLine(told % {"group": group}, reminder.sent_at)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Change]:
    for field in sorted({*before, *after}):
        if before.get(field) != after.get(field) or (field in before) != (field in after):
            label = field.replace("_", " ").capitalize()
            yield Change(label, _text(before.get(field)), _text(after.get(field)))


def _text(value: Any) -> str:
    """Return a value of a payload for people, phones masked."""
    if isinstance(value, dict) and all(isinstance(part, str) for part in value.values()):
        value = ", ".join(f"{name}: {part}" for name, part in value.items())
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return words.without_phones(text)


def _advice(request: Any, line: QueueLine, who: str, *, now: datetime) -> str:
    if not line.is_pending or line.is_for_me:
        return ""
    reasons = (
        (request.expires_at <= now, _("Nobody decided in time. It is closed within a minute.")),
        (
            line.is_mine and request.kind == RULE_CHANGE.name,
            _("You asked for this or edited it. Another person decides."),
        ),
        (
            line.is_mine,
            _("You asked for this. Another person decides. To change it, withdraw it and ask anew."),
        ),
        (
            requests.has_touched(request, who),
            _("You made or changed something that this is about. Another person decides."),
        ),
        (requests.has_decided(request, who), _("You have decided. Another person goes on.")),
        (True, _("Another role decides this step.")),
    )
    return next(said for holds, said in reasons if holds)
