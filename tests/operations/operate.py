"""Running an operator's command as ``bin/treasury`` would, and what it printed."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from apps.kit import clock
from treasury.operations import parsing, running

OPERATOR = "amina"
REASON = "asked for by the CFO"
AT = datetime(2027, 1, 15, 2, 30, tzinfo=UTC)
"""Later than whatever the factories make: weeks after the fact, at night."""


@dataclass(frozen=True)
class Done:
    """The exit code, and what people read on each of the two channels."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON object that was printed."""
        return json.loads(self.out)


def operate(*words: str) -> Done:
    """Run one command that reads."""
    out, err = StringIO(), StringIO()
    with clock.fixed(AT):
        code = running.run(parsing.parse(words), out=out, err=err)
    return Done(code, out.getvalue(), err.getvalue())


def change(*words: str) -> Done:
    """Run one command that writes, as an operator with a reason."""
    return operate(*words, "--as", OPERATOR, "--reason", REASON)
