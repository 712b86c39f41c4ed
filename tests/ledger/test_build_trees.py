"""
Build trees: the formats of seals, held to another library's roots and paths, and to properties.

``vectors/merkle_trees.json`` was made once with Node and @openzeppelin/merkle-tree 1.0.8: for each ``count`` the contents
are SHA-256 of "statement 0", "statement 1", …; the tree is
``StandardMerkleTree.of(contents.map(c => [c]), ["bytes32"], {sortLeaves: false})``, and ``leaf`` and ``path`` are its
``leafHash`` and ``getProof`` of some leaves.
"""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ledger import merkle

TREES = json.loads((Path(__file__).parent / "vectors" / "merkle_trees.json").read_text())["trees"]
LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)
SENT = {
    "uid": UUID("019ab000-0000-7000-8000-000000000001"),
    "key": "payments:collection:1",
    "kind": "POSTING",
    "effective_date": date(2026, 11, 24),
    "posted_at": datetime(2026, 11, 24, 7, 41, 0, 5, tzinfo=UTC),
    "reverses": None,
    "description": "Payment, Njeri Kamau",
    "legs": [
        merkle.SealedLeg(1, UUID(int=7), "KES", 0, 1, 10_00),
        merkle.SealedLeg(2, UUID(int=8), "KES", 0, -1, 10_00),
    ],
}


def written(**changes: Any) -> str:
    return merkle.statement(merkle.SealedFacts(**{**SENT, **changes}))


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree['count']} leaves")
def test_roots_and_paths_are_those_of_openzeppelin(tree):
    leaves = [merkle.leaf(f"statement {number}") for number in range(tree["count"])]

    assert f"0x{merkle.root(leaves).hex()}" == tree["root"]
    for proof in tree["proofs"]:
        assert f"0x{leaves[proof['index']].hex()}" == proof["leaf"]
        assert [f"0x{node.hex()}" for node in merkle.path(leaves, proof["index"])] == proof["path"]


@given(LEAVES)
def test_every_path_leads_to_the_root(leaves):
    for position, leaf in enumerate(leaves):
        path = merkle.path(leaves, position)

        assert merkle.climb(leaf, path) == merkle.root(leaves)
        assert len(path) <= (len(leaves) - 1).bit_length()


@given(LEAVES, st.data())
def test_another_leaf_makes_another_root(leaves, data):
    position = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(min_size=32, max_size=32).filter(lambda leaf: leaf != leaves[position]))

    changed = [*leaves[:position], other, *leaves[position + 1 :]]

    assert merkle.root(changed) != merkle.root(leaves)
    assert merkle.climb(other, merkle.path(leaves, position)) != merkle.root(leaves)


def test_a_tree_of_nothing_and_a_leaf_that_is_not_there_are_refused():
    with pytest.raises(ValueError, match="at least one leaf"):
        merkle.tree([])
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.path([bytes(32)], 1)


def test_the_statement_of_version_1_is_fixed():
    assert written() == (
        "v1|019ab000-0000-7000-8000-000000000001|payments:collection:1|POSTING|2026-11-24|2026-11-24T07:41:00.000005Z||"
        "8699049f78fb5110a71db136231128aa4ce6b1ab294a17f518373d05616704b3"
        "|1|00000000-0000-0000-0000-000000000007|KES|0|1|1000|2|00000000-0000-0000-0000-000000000008|KES|0|-1|1000"
    )


def test_the_leaf_and_the_seal_of_version_1_are_fixed():
    """Both hashes were computed by Node too: the leaf by the library above, the seal by keccak of its six words."""
    root = merkle.leaf(written())
    seal = merkle.seal_hash(
        prev_hash=merkle.NOTHING_BEFORE, merkle_root=root, seq=1, count=1, organisation_id=UUID(int=1 << 100)
    )

    assert (root.hex(), seal.hex()) == (
        "2cb31e1d32288ea1160339c620e11f532b99764754e1568d527beb908bba7ca0",
        "93e2f7cfc12bf7637dfef9d162e21790db6befcf9d656d201a016babe38bda5f",
    )


def test_the_instant_counts_and_not_the_zone_that_it_is_told_in():
    nairobi = SENT["posted_at"].astimezone(timezone(timedelta(hours=3)))

    assert written(posted_at=nairobi) == written()


def test_a_key_cannot_be_read_as_fields():
    assert written(key="a|POSTING|2026-11-24").split("|")[2] == "a%7CPOSTING%7C2026-11-24"
    assert written(key="a%7Cb") != written(key="a|b")


def test_composed_and_decomposed_letters_are_two_descriptions():
    assert written(description="é") != written(description="e\N{COMBINING ACUTE ACCENT}")


def test_sums_beyond_64_bits_and_releases_are_written_in_full():
    legs = [merkle.SealedLeg(1, UUID(int=7), "ETH", 1, 1, -(10**37))]

    assert written(legs=legs).endswith("|ETH|1|1|-10000000000000000000000000000000000000")


@given(st.text(max_size=20), st.text(max_size=20))
def test_two_keys_never_make_one_statement(one, other):
    assert (written(key=one) == written(key=other)) == (one == other)
