"""How the calls of an account go: its circuits, and what became of the calls of minutes and hours."""

from dataclasses import dataclass
from datetime import datetime

from apps.kit.circuits import Position


@dataclass(frozen=True, slots=True)
class CircuitFact:
    """How the circuit of one kind of call stands, and since when; ``failures`` of the last ten calls within a minute."""

    kind: str
    position: Position
    failures: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class TrafficMinute:
    """The calls of one kind that began in a minute: how many, what became of them, and how long they took."""

    minute: datetime
    kind: str
    calls: int
    not_sent: int
    no_answer: int
    failed: int
    mean_ms: int
    longest_ms: int


@dataclass(frozen=True, slots=True)
class CallHealth:
    """How the calls of one kind went in some hours: how many were answered well, and how long 95 of 100 took at most."""

    kind: str
    calls: int
    answered: int
    not_sent: int
    no_answer: int
    p95_ms: int

    @property
    def percent(self) -> str:
        """Return the share that was answered well, cut to a tenth of a percent: 100.0 % means every one."""
        return f"{self.answered * 1000 // self.calls / 10:.1f} %"


@dataclass(frozen=True, slots=True)
class TrafficHour:
    """The calls of an hour, and how many of them were not answered well."""

    at: datetime
    calls: int = 0
    bad: int = 0

    @property
    def tone(self) -> str:
        """Return the colour of the hour in a tracker: half of the calls lost is a failure, fewer a warning."""
        if not self.calls:
            return "quiet"
        if not self.bad:
            return "done"
        return "failed" if self.bad * 2 >= self.calls else "held"
