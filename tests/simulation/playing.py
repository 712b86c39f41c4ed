"""Plays one seed: furnish a world, let it act, settle it, and compare it with what must be true."""

import hashlib
import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, connections
from django_fsm.signals import post_transition

from apps.events.models import OutboxEvent
from apps.kit import clock
from apps.kit.errors import DomainError
from apps.payments.contracts import RefundStatus
from apps.payments.models import InboundReceipt, Refund
from apps.payments.services import late_refunds
from tests import conftest
from tests.simulation import actions, coverage, disputing, part_truths, settling, street, truths
from tests.simulation.world import Broken, World

STEPS = 40


@dataclass
class Played:
    """How a seed went; ``digest`` is the same whenever it is played."""

    seed: int
    problems: list[str]
    digest: str
    steps: list[str]
    seconds: float
    events: int = 0
    hits: Counter[str] = field(default_factory=Counter)


def play(seed: int) -> Played:
    """Play a seed in the database that is connected, which must be pristine; it is pristine again afterwards."""
    began = time.monotonic()
    hits: Counter[str] = Counter()

    def count(instance: Any, name: str, target: Any, **_: object) -> None:
        coverage.record(hits, instance, name, str(target))

    post_transition.connect(count)
    try:
        with tempfile.TemporaryDirectory() as folder:
            world = World(seed=seed, folder=Path(folder), hits=hits)
            with world.running():
                _act(world)
                told = _told()
    finally:
        post_transition.disconnect(count)
        connections.close_all()
        conftest.truncate()
    return Played(
        seed, world.problems, _digest(world, told), world.steps, time.monotonic() - began, len(told), hits
    )


def _act(world: World) -> None:
    try:
        settling.open_day(world)
        for _ in range(STEPS):
            with clock.fixed(world.now):
                actions.step(world)
        settling.settle(world)
        with clock.fixed(world.now):
            world.problems += truths.broken(world)
            world.hits.update(disputing.ends(world) + street.receivers(world) + part_truths.kinds())
            suspended = InboundReceipt.objects.exclude(booked_at=None).count()
            world.hits.update({"evidence:matched": InboundReceipt.objects.count() - suspended})
            world.hits.update({"evidence:unmatched": suspended})
            late = Refund.objects.filter(reason=late_refunds.REASON, status=RefundStatus.SUCCEEDED).count()
            world.hits.update({"evidence:given back late": late})
    except Broken as problem:
        world.problems.append(str(problem))
    except (DomainError, DatabaseError) as problem:
        world.problems.append(f"{type(problem).__name__} was not expected: {problem}")


def _told() -> list[Any]:
    connection.set_tenant(connection.tenant)
    events = OutboxEvent.objects.order_by("seq")
    return list(events.values_list("type", "aggregate_id", "aggregate_version", "data", "occurred_at"))


def _digest(world: World, told: list[Any]) -> str:
    """Hash what was done and what was told, in order."""
    content = json.dumps([world.steps, told], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
