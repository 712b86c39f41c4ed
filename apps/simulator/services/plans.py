"""Plans as the store keeps them."""

import json
from dataclasses import asdict

from apps.simulator.contracts import Delivery, Plan, StatementExtra


def dump(*, plan: Plan) -> str:
    """Write a plan as text."""
    return json.dumps(asdict(plan))


def load(*, text: str) -> Plan:
    """Read what ``dump`` wrote."""
    held = json.loads(text)
    missing = held["missing"]
    return Plan(
        **{
            **held,
            "callback": Delivery(**held["callback"]),
            "confirmation": Delivery(**held["confirmation"]) if held["confirmation"] else None,
            "validation": Delivery(**held["validation"]),
            "extras": tuple(StatementExtra(**extra) for extra in held["extras"]),
            "missing": None if missing is None else tuple(missing),
        }
    )
