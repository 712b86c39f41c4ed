"""What people take away of the portal as a file: recorded before it is given out."""

from datetime import datetime
from typing import Any

from apps.access.selectors import memberships, scope
from apps.audit.services import records


def record(*, what: str, object_id: str, reader: scope.Person, now: datetime, **facts: Any) -> None:
    """Record that a person was given a file about one thing; ``facts`` say which file."""
    records.write(
        action=f"{what}.downloaded",
        object_type=what,
        object_id=object_id,
        actor=memberships.actor(reader),
        now=now,
        changes={name: [None, str(value)] for name, value in facts.items()},
    )
