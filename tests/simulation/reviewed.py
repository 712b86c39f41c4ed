"""What people decided about payments in review, and what the books and the events must say because of it."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID


@dataclass
class Reviewed:
    """
    The attempts whose money was ``accepted``, or given up: ``closed``, under which row it waits from then on.

    ``unbooked`` attempts were never booked by themselves, for their money was booked as it came and stayed in suspense;
    ``untold`` rows were never booked by themselves, for their attempts had booked the money. ``told_again`` counts the rows
    that had been told of before, ``ended_again`` the payments that had failed before.
    """

    accepted: set[UUID] = field(default_factory=set)
    closed: dict[UUID, UUID] = field(default_factory=dict)
    unbooked: set[UUID] = field(default_factory=set)
    untold: set[UUID] = field(default_factory=set)
    told_again: Counter[UUID] = field(default_factory=Counter)
    ended_again: Counter[UUID] = field(default_factory=Counter)
