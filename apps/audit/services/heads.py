"""
Heads of the organisation's chain outside the database: one file a night in the storage of documents, locked where that can
lock. Who cuts the end off, or writes the chain anew, and mends what the database keeps of it does not reach them.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice

from apps.accounts.services import trail_checks, trails
from apps.accounts.services.trail_checks import FINDINGS_MAX, Finding
from apps.kit import errors, storage

FOLDER = "audit-heads"
JSON = "application/json"
NAME = re.compile(r"(\d{12})-([0-9a-f]{16})(?:_[A-Za-z0-9]+)?")
"""Number and checksum; a tail where the file that first had the name was torn."""
NEWEST = 14
"""So many the nightly check reads: each of them vouches for all before it. Who verifies reads all."""
FIRST_WITHIN = timedelta(hours=48)
"""A chain that is older has seen a night."""
EMPTIED = "the chain is older than a night, and no head of it is kept outside the database"
UNREADABLE = "the heads that are kept outside the database cannot be read now: try again"


class HeadsDiffer(errors.DomainError):
    """The chain of the audit trail is not the one whose heads were kept outside the database."""

    code = "audit_heads_differ"
    title = "Audit trail differs from its heads"
    status = 500
    category = "internal"


def keep(of: trails.Trail, *, now: datetime) -> None:
    """
    Bring the last link of a chain into the storage, once. Call it outside a transaction.

    Raises HeadsDiffer when the chain is not the one whose heads were kept, and keeps nothing then: a chain that was written
    anew never gets a head of its own, and each later night finds it again. Where no head is left, one is kept before that
    is said. Raises storage.StorageUnavailable.
    """
    kept = storage.names(folder=FOLDER)
    _refuse(tuple(_compared(of, kept, newest=NEWEST)))
    _put(of, now=now)
    _refuse(tuple(_emptied(of, kept, now=now)))


def findings(of: trails.Trail, *, now: datetime) -> Iterator[Finding]:
    """Produce what the heads that were kept outside say against the chain: each vouches for all before it."""
    try:
        kept = storage.names(folder=FOLDER)
        yield from _emptied(of, kept, now=now)
        yield from islice(_compared(of, kept), FINDINGS_MAX)
    except storage.StorageUnavailable:
        yield Finding(0, None, UNREADABLE)


def _put(of: trails.Trail, *, now: datetime) -> None:
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


def _refuse(found: tuple[Finding, ...]) -> None:
    if found:
        said = "; ".join(str(finding) for finding in found[:FINDINGS_MAX])
        raise HeadsDiffer(f"The audit trail is not the one whose heads were kept: {said}.")


def _emptied(of: trails.Trail, kept: list[str], *, now: datetime) -> Iterator[Finding]:
    """Yield what an empty folder says; the clock of an organisation that is not live may be set, so its age is none."""
    if of.is_live and not kept and of.links.objects.filter(seq=1, sealed_at__lte=now - FIRST_WITHIN).exists():
        yield Finding(0, None, EMPTIED)


def _compared(of: trails.Trail, kept: list[str], *, newest: int | None = None) -> Iterator[Finding]:
    yield from (
        Finding(0, None, f"{name} lies among the heads that are kept outside the database, and is none")
        for name in kept
        if not NAME.fullmatch(name)
    )
    ours = sorted(name for name in kept if NAME.fullmatch(name))
    files = [(stem, list(names)) for stem, names in groupby(ours, key=_stem)]
    for seq, count in Counter(_seq(stem) for stem, _ in files).items():
        if count > 1:
            yield Finding(seq, None, f"has {count} heads that were kept outside the database")
    for stem, names in files[-newest:] if newest else files:
        yield from _against(of, stem, names)


def _against(of: trails.Trail, stem: str, names: list[str]) -> Iterator[Finding]:
    """Yield what one head says; of several files the whole one counts, whatever was torn before it."""
    contents = [content for name in names if (content := _content(name)) is not None]
    if not contents:
        yield Finding(_seq(stem), None, "was kept outside the database, and that file is gone")
        return
    heads = [head for content in contents if (head := _head(of, stem, content))]
    if heads:
        yield from trail_checks.against(of, heads[0], "was kept outside the database")
    else:
        yield Finding(
            _seq(stem), None, "was kept outside the database, and that file is not what was written"
        )


def _content(name: str) -> bytes | None:
    try:
        return storage.named(folder=FOLDER, name=name)
    except storage.FileDamaged:
        return None


def _head(of: trails.Trail, stem: str, content: bytes) -> trails.Head | None:
    """Return the head that a file holds; None if it is not what the name was made of."""
    if stem[-16:] != hashlib.sha256(content).hexdigest()[:16]:
        return None
    try:
        facts = json.loads(content)
        head = trails.Head(int(facts["seq"]), bytes.fromhex(facts["hash"]))
    except (ValueError, KeyError, TypeError):
        return None
    return head if (facts["chain"], head.seq) == (of.name, _seq(stem)) else None


def _stem(name: str) -> str:
    return name.partition("_")[0]


def _seq(stem: str) -> int:
    return int(stem.partition("-")[0])
