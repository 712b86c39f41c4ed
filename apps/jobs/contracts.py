"""What crosses the border of jobs: states, kinds of work and their runners, a new job, and what a runner reports."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from apps.kit.actors import Actor


class JobStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far the work is, told after each chunk; all numbers count from the beginning of the job.

    ``cursor`` is where whoever takes the job up again goes on; ``total`` stays as it was when it is None.
    """

    done: int
    failed: int = 0
    total: int | None = None
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file in the run's folder that the job leaves behind; ``name`` is what a person saves it as."""

    path: Path
    name: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Work:
    """
    What a runner is given: its parameters, where to go on, and whose eyes it may use.

    ``branch_ids`` are the branches whose rows the starter saw when he started it, None for all. ``folder`` is the run's
    own and is gone when the run ends.
    """

    job_id: UUID
    parameters: Mapping[str, Any]
    cursor: str
    done: int
    failed: int
    branch_ids: frozenset[UUID] | None
    application_id: UUID
    folder: Path


type Runner = Callable[[Work], Generator[Progress, None, ResultFile | None]]
"""Does one chunk after another: yields after each, and returns the file, if the work makes one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of long work. ``runner`` is a dotted path.

    An atomic runner's chunk commits together with its cursor: each chunk counts exactly once, whoever is killed. One
    that is not atomic runs outside any transaction and may do a chunk twice.
    """

    name: str
    title: Any
    runner: str
    is_atomic: bool = True


KINDS: dict[str, Kind] = {}


class DeclaredTwice(ValueError):
    """Two modules declare the same name in different ways."""


def declare(*, kind: str, title: Any, runner: str, is_atomic: bool = True) -> Kind:
    """Enter a kind of work in the catalogue and return it; call it at import of an app's ``tasks`` module."""
    declared = Kind(kind, title, runner, is_atomic)
    if KINDS.setdefault(kind, declared) != declared:
        raise DeclaredTwice(f"the kind of job {kind} is declared twice")
    return declared


@dataclass(frozen=True, slots=True)
class NewJob:
    """
    Long work to start.

    ``branch_ids`` bounds what the runner reads and who may see the job: only who sees all of them (None: all branches).
    ``permission`` and ``scope`` are what a person, and a key, need beside that; an empty scope shows it to no key.
    """

    kind: str
    title: str
    branch_id: UUID
    application_id: UUID
    branch_ids: frozenset[UUID] | None
    permission: str
    scope: str
    actor: Actor
    starter_id: UUID | None = None
    parameters: Mapping[str, Any] | None = None
