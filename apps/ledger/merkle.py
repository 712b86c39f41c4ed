"""
What a seal is made of: the text of a transaction, its leaf, the tree of leaves, the hash that chains a tree to the one before.

Formats are numbered and never change for what is sealed; docs/ledger.md gives them in words. Trees are those of
OpenZeppelin's StandardMerkleTree over ``bytes32`` with ``sortLeaves: false``.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from eth_hash.auto import keccak

VERSION = "v1"
DOMAIN = b"TSEAL\x01"
WORD = 32
NOTHING_BEFORE = bytes(WORD)
"""``prev_hash`` of the first seal."""


@dataclass(frozen=True, slots=True)
class SealedLeg:
    """One entry, as far as a seal vouches for it; ``amount`` is in minor units, negative where it releases."""

    seq: int
    account_uid: UUID
    currency: str
    layer: int
    direction: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFacts:
    """What a seal vouches for of one transaction; ``legs`` by ``seq``, ``reverses`` the public id of another one."""

    uid: UUID
    key: str
    kind: str
    effective_date: date
    posted_at: datetime
    reverses: UUID | None
    description: str
    legs: Sequence[SealedLeg]


def statement(facts: SealedFacts) -> str:
    """
    Return the canonical text of a transaction, version 1: head, then its legs by ``seq``, joined by ``|``.

    In the key ``%`` and ``|`` are written %25 and %7C, so that no key can be read as fields. The description stands as its
    SHA-256: it may name people, and a proof may be published.
    """
    fields = [
        VERSION,
        str(facts.uid),
        facts.key.replace("%", "%25").replace("|", "%7C"),
        facts.kind,
        facts.effective_date.isoformat(),
        facts.posted_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        str(facts.reverses or ""),
        hashlib.sha256(facts.description.encode()).hexdigest(),
    ]
    for leg in facts.legs:
        fields += [
            str(leg.seq),
            str(leg.account_uid),
            leg.currency,
            str(leg.layer),
            str(leg.direction),
            str(leg.amount),
        ]
    return "|".join(fields)


def leaf(text: str) -> bytes:
    """Return the leaf of a statement: hashed twice more, so that no node of a tree can be passed off as a leaf."""
    return keccak(keccak(hashlib.sha256(text.encode()).digest()))


def tree(leaves: Sequence[bytes]) -> list[bytes]:
    """Return the tree as an array: node i has the children 2i+1 and 2i+2, the root is the first, leaf 0 the last."""
    if not leaves:
        raise ValueError("a tree has at least one leaf")
    nodes = [b""] * (len(leaves) - 1) + list(reversed(leaves))
    for index in range(len(leaves) - 2, -1, -1):
        nodes[index] = _pair(nodes[2 * index + 1], nodes[2 * index + 2])
    return nodes


def root(leaves: Sequence[bytes]) -> bytes:
    return tree(leaves)[0]


def path(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """Return the siblings from leaf ``position`` up to the root."""
    if not 0 <= position < len(leaves):
        raise ValueError("there is no such leaf")
    nodes = tree(leaves)
    index = len(nodes) - 1 - position
    siblings = []
    while index:
        siblings.append(nodes[index + 1 if index % 2 else index - 1])
        index = (index - 1) // 2
    return siblings


def climb(start: bytes, siblings: Iterable[bytes]) -> bytes:
    """Return the root that a leaf and its path lead to."""
    node = start
    for sibling in siblings:
        node = _pair(node, sibling)
    return node


def seal_hash(*, prev_hash: bytes, merkle_root: bytes, seq: int, count: int, organisation_id: UUID) -> bytes:
    """Return the hash of a seal: six words of 32 bytes, the first one a tag that no other hash of ours begins with."""
    return keccak(
        DOMAIN.ljust(WORD, b"\0")
        + prev_hash
        + merkle_root
        + seq.to_bytes(WORD)
        + count.to_bytes(WORD)
        + organisation_id.bytes.ljust(WORD, b"\0")
    )


def _pair(one: bytes, other: bytes) -> bytes:
    return keccak(one + other if one < other else other + one)
