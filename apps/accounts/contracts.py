"""What crosses the border of accounts: the head of a chained trail."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain; number 0 when there is none."""

    seq: int
    hash: bytes
