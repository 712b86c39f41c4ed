"""What stands behind a transaction: the apps above say who reads the rows that they name as its source."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Cause:
    """What a transaction says of its cause: the row that it names and, in its key, the fact that it books."""

    uid: UUID
    key: str
    source_type: str
    source_id: UUID


@dataclass(frozen=True, slots=True)
class Subject:
    """
    A business row behind a transaction, in words; approvals, events, callbacks and calls are found by its ``id``.

    ``is_proof``: the row alone shows why the transaction exists, as a closed period does for its closing.
    """

    kind: str
    id: UUID
    text: str
    at: datetime | None = None
    is_proof: bool = False


type SubjectReader = Callable[[Sequence[Cause]], Mapping[UUID, Sequence[Subject]]]
"""Returns the business rows of many transactions by the transaction's public id, in a fixed number of queries."""


class DeclaredTwice(ValueError):
    """Two modules say who reads the rows of one source type."""


SUBJECTS: dict[str, SubjectReader] = {}


def declare_subjects(source_type: str, reader: SubjectReader) -> SubjectReader:
    """Say who reads the business rows of a source type; call it at import of the app's ``selectors.sources``."""
    if SUBJECTS.setdefault(source_type, reader) is not reader:
        raise DeclaredTwice(f"the subjects of {source_type} are declared twice")
    return reader
