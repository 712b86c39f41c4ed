"""
Heads of the organisation's chain outside the database: one file a night in the storage of documents, locked where that can
lock. Who cuts the end off and mends what the database keeps of it does not reach them.
"""

import json
from collections.abc import Iterator
from datetime import datetime

from apps.accounts.services import trail_checks, trails
from apps.accounts.services.trail_checks import Finding
from apps.kit import storage

FOLDER = "audit-heads"
JSON = "application/json"


def keep(of: trails.Trail, *, now: datetime) -> None:
    """Bring the last link of a chain into the storage, once. Call it outside a transaction. Raises storage.StorageUnavailable."""
    head = trails.head(of)
    if not head.seq:
        return
    link = of.links.objects.get(seq=head.seq)
    facts = {
        "chain": of.name,
        "seq": head.seq,
        "hash": head.hash.hex(),
        "sealed_at": link.sealed_at.isoformat(),
    }
    content = json.dumps(facts, sort_keys=True).encode()
    storage.put(name=f"{FOLDER}/{head.seq:012d}", content=content, content_type=JSON, now=now)


def findings(of: trails.Trail) -> Iterator[Finding]:
    """Produce what the last head that was kept outside says against the chain: it vouches for all before it."""
    try:
        content = storage.latest(folder=FOLDER)
    except storage.FileDamaged:
        yield Finding(0, None, "the last head that was kept outside the database is gone")
        return
    except storage.StorageUnavailable:
        yield Finding(0, None, "the heads that are kept outside the database cannot be read now: try again")
        return
    if content is None:
        return
    try:
        facts = json.loads(content)
        head = trails.Head(int(facts["seq"]), bytes.fromhex(facts["hash"]))
    except (ValueError, KeyError, TypeError):
        yield Finding(0, None, "the last head that was kept outside the database is not what was written")
        return
    yield from trail_checks.against(of, head, "was kept outside the database")
