"""API keys, and what else seals or signs."""

from datetime import timedelta
from uuid import UUID

from apps.access.selectors import api_keys as stored
from apps.access.services import api_keys
from apps.events.services import webhook_endpoints
from apps.kit import ids
from treasury import keys
from treasury.operations.calls import Answer, Call

PREFIX = "key"


def list_(call: Call) -> Answer:
    rows = [
        {
            "key": ids.encode(PREFIX, row.id),
            "prefix": row.prefix,
            "name": row.name,
            "application": row.application.slug,
            "branch": row.branch.code if row.branch else "all",
            "is_open": row.opens(call.now),
            "last_used_at": row.last_used_at,
            "expires_at": row.expires_at,
        }
        for row in stored.everything()
        if call.given["revoked"] or row.opens(call.now)
    ]
    return Answer(f"{len(rows)} keys", rows)


def revoke(call: Call) -> Answer:
    key = api_keys.revoke(key_id=_named(call), reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{key} opens nothing more.")


def rotate_webhook(call: Call) -> Answer:
    issued = webhook_endpoints.rotate_secret(
        endpoint_id=call.id("endpoint", webhook_endpoints.PREFIX),
        grace=timedelta(hours=call.given["grace_hours"]),
        reason=call.reason,
        actor=call.actor,
        now=call.now,
    )
    told = "a new secret" if call.is_dry else f"the new secret, shown this once: {issued.secret}"
    return Answer(f"{issued.endpoint.url} is signed with {told}")


def rotate_data(call: Call) -> Answer:
    rotated = keys.rotate_data_key(reason=call.reason, actor=call.actor, now=call.now)
    sealed = ", ".join(f"{count} {kind}" for kind, count in rotated.resealed.items())
    return Answer(f"Data key {rotated.version} seals now: {sealed}.")


def _named(call: Call) -> UUID:
    by_prefix = stored.by_prefix(call.given["key"])
    return by_prefix.id if by_prefix else call.id("key", PREFIX)
