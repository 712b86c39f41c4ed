"""Prove transactions: the file that is given out, and the program that checks it without any code of ours."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger import merkle
from apps.ledger.contracts import AccountRole, credit, debit
from apps.ledger.models import Seal
from apps.ledger.selectors import proofs
from apps.ledger.services import holds, reversals, seals, verification
from tests.conftest import ROOT, owner
from tests.factories import access, ledger
from tests.factories.ledger import NOW

TOOL = ROOT / "tools" / "verify_proof.py"
LATER = NOW + timedelta(minutes=1)
TREES = json.loads((Path(__file__).parent / "vectors" / "merkle_trees.json").read_text())["trees"]


@pytest.fixture
def check(tmp_path) -> Callable[..., tuple[int, str]]:
    """Run the program on a proof or on bytes, with Python's own library and nothing else; return code and last line."""

    def run(proof: Any, *words: str) -> tuple[int, str]:
        path = tmp_path / "proof.json"
        path.write_bytes(proof if isinstance(proof, bytes) else proofs.as_text(proof).encode())
        done = subprocess.run(
            [sys.executable, "-I", "-S", TOOL, path, *words],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        return done.returncode, (done.stdout or done.stderr).splitlines()[-1]

    return run


@pytest.fixture
def booked(acme, balance, unapplied) -> UUID:
    """A sealed transaction among four."""
    drafts = [ledger.transfer(balance, unapplied, minor) for minor in (1_00, 2_00, 3_00, 4_00)]
    made = [ledger.post(draft).id for draft in drafts]
    seals.run(now=LATER)
    return made[2]


def last_hash() -> str:
    return f"0x{bytes(Seal.objects.order_by('-seq')[0].seal_hash).hex()}"


def test_a_proof_is_consistent_by_itself_and_proven_against_a_hash_that_was_kept(booked, check):
    proof = proofs.of(booked)

    assert list(proof) == ["type", "statement", "tenant", "transaction", "seal", "links"]
    assert proof["type"] == "treasury.proof/1"
    assert proof["statement"].split("|")[1] == str(booked)
    code, said = check(proof)
    assert (code, said) == (
        2,
        f"consistent: compare {last_hash()} with the hash of seal 1 that somebody else has kept",
    )
    assert check(proof, "--seal-hash", last_hash()) == (0, "proven: seal 1 has the hash that you gave")


def test_every_transaction_of_every_seal_can_be_proven(acme, balance, unapplied, check, monkeypatch):
    monkeypatch.setattr(seals, "LEAVES_MAX", 3)
    made = [ledger.post(ledger.transfer(balance, unapplied, minor)).id for minor in range(1, 9)]
    sealed = seals.run(now=LATER)

    for place, uid in enumerate(made):
        expected = f"0x{sealed[place // 3].seal_hash.hex()}"
        assert check(proofs.of(uid), "--seal-hash", expected)[0] == 0


def test_the_file_of_two_legs_stays_below_two_kilobytes_in_the_largest_seal(acme, balance, unapplied):
    draft = ledger.transfer(balance, unapplied, 10**20, key="payments:collection:" + "k" * 100, event_at=NOW)
    uid = ledger.post(draft).id
    seals.run(now=LATER)
    proof = proofs.of(uid)

    proof["transaction"] = {"path": [f"0x{bytes(32).hex()}"] * (seals.LEAVES_MAX - 1).bit_length()}
    proof["seal"] = {**proof["seal"], "seq": 10**7, "count": seals.LEAVES_MAX}

    assert len(proofs.as_text(proof).encode()) <= 2_000


def test_before_the_seal_there_is_no_proof(acme, balance, unapplied):
    uid = ledger.post(ledger.transfer(balance, unapplied, 1)).id

    with pytest.raises(proofs.ProofNotReady):
        proofs.of(uid)


def test_nobody_gets_the_proof_of_what_he_may_not_see(branch, balance, unapplied):
    uid = ledger.post(ledger.transfer(balance, unapplied, 1)).id
    seals.run(now=LATER)
    mine, theirs = (access.caller(branch=one) for one in (branch, ledger.branch()))

    assert proofs.of(uid, mine) == proofs.of(uid)
    for asked, caller in ((uid, theirs), (ids.new(), mine)):
        with pytest.raises(errors.NotFound):
            proofs.of(asked, caller)


def test_a_proof_that_would_not_hold_is_not_given_out(committed_acme):
    branch = ledger.branch()
    refs = [ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE)]
    uid = ledger.post(ledger.transfer(*refs, 5)).id
    seals.run(now=LATER)
    with owner() as database:
        database.execute("ALTER TABLE org_acme.ledger_transaction DISABLE TRIGGER USER")
        database.execute("UPDATE org_acme.ledger_transaction SET description = 'Payment, somebody else'")
        database.execute("ALTER TABLE org_acme.ledger_transaction ENABLE TRIGGER USER")

    with pytest.raises(proofs.ProofBroken):
        proofs.of(uid)


def test_many_legs_and_two_currencies_are_proven_too(acme, balance, unapplied, fees, check):
    dollars = [
        ledger.ref(AccountRole.FX_POSITION, balance.branch_id, "USD"),
        ledger.ref(AccountRole.BANK_BALANCE, balance.branch_id, "USD", owner_id=ids.new()),
    ]
    legs = (
        debit(balance, Money(95, "KES")),
        debit(fees, Money(5, "KES")),
        credit(unapplied, Money(100, "KES")),
        debit(dollars[0], Money(7, "USD")),
        credit(dollars[1], Money(7, "USD")),
    )
    uid = ledger.post(ledger.draft(legs=legs, description="Échange • 兑换")).id
    seals.run(now=LATER)

    assert check(proofs.of(uid), "--seal-hash", last_hash())[0] == 0


def hashed_fields(proof: dict[str, Any]) -> Iterator[tuple[str, Callable[[dict[str, Any]], None]]]:
    """Every way to change one hash-bearing field of a proof, by name."""

    def flip(text: str) -> str:
        return f"{text[:-1]}{'0' if text[-1] != '0' else '1'}"

    def change(part: str | None, name: str, new: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
        def do(document: dict[str, Any]) -> None:
            place = document[part] if part else document
            place[name] = new(place[name])

        return do

    for number in range(len(proof["statement"].split("|"))):

        def replace(text: str, number: int = number) -> str:
            fields = text.split("|")
            fields[number] = f"{fields[number]}0"
            return "|".join(fields)

        yield f"statement {number}", change(None, "statement", replace)
    yield "tenant", change(None, "tenant", flip)
    yield "path", change("transaction", "path", lambda path: [flip(path[0]), *path[1:]])
    yield "swapped", change("transaction", "path", lambda path: [*reversed(path)])
    yield "shorter", change("transaction", "path", lambda path: path[:-1])
    yield "seq", change("seal", "seq", lambda seq: seq + 1)
    yield "count", change("seal", "count", lambda count: count + 1)
    yield "prev", change("seal", "prev", flip)
    yield "root", change("seal", "root", flip)


def test_any_change_of_what_is_hashed_is_refuted(booked, check):
    proof, kept = proofs.of(booked), last_hash()

    for name, change in hashed_fields(proof):
        changed = deepcopy(proof)
        change(changed)
        code, said = check(changed, "--seal-hash", kept)
        assert code == 1, name
        assert said.startswith("refuted: "), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "treasury.proof/2"),
        ("statement", "v2|x"),
        ("statement", None),
        ("tenant", "0x00"),
        ("tenant", "0xABCDEFABCDEFABCDEFABCDEFABCDEFAB"),
        ("transaction", {"path": ["0x0"]}),
        ("transaction", {"path": ["0x" + "00" * 32] * 65}),
        ("transaction", {"path": "0x"}),
        ("transaction", []),
        ("seal", {"seq": True, "count": 4, "prev": "0x" + "00" * 32, "root": "0x" + "00" * 32}),
        ("seal", {"seq": -1, "count": 4, "prev": "0x" + "00" * 32, "root": "0x" + "00" * 32}),
        ("links", [{}] * 1441),
        ("links", [7]),
        ("epoch", {"tenant_key": "0x" + "00" * 32, "path": [], "root": "0x" + "00" * 32}),
    ],
)
def test_what_is_no_proof_is_refuted(booked, check, name, value):
    code, said = check({**proofs.of(booked), name: value})

    assert (code, said.startswith("refuted: ")) == (1, True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw.replace(b'{"type"', b'{"type":"x","type"'),
        lambda raw: raw.replace(b'"seq":1', b'"seq":1.0'),
        lambda raw: raw.replace(b'"seq":1', b'"seq":NaN'),
        lambda raw: raw.replace(b'"seq":1', b'"seq":1' + b"0" * 5_000),
        lambda raw: raw.replace(b"v1|", b"v1|\\ud800"),
        lambda raw: raw.replace(b"v1|", b"v1|\xff"),
        lambda _: b"[" * 100_000,
        lambda raw: raw + b" " * (1 << 20),
        lambda _: b"[]",
        lambda _: b"",
    ],
)
def test_a_file_that_two_readers_could_read_differently_is_refuted(booked, check, damage):
    code, said = check(damage(proofs.as_text(proofs.of(booked)).encode()))

    assert (code, said.startswith("refuted: ")) == (1, True)


def test_a_wrong_command_is_neither_proof_nor_refutation(booked, check, tmp_path):
    assert check(proofs.of(booked), "--seal-hash", "0x12")[0] == 64
    assert check(proofs.of(booked), "--unknown")[0] == 64
    done = subprocess.run(
        [sys.executable, TOOL, tmp_path / "none"], check=False, capture_output=True, text=True
    )
    assert (done.returncode, "cannot be read" in done.stdout) == (1, True)


def test_links_and_epoch_are_followed_to_their_end(acme, balance, unapplied, check):
    """The parts that anchoring adds later: two more seals, then a tree over the organisations."""
    uid = ledger.post(ledger.transfer(balance, unapplied, 1)).id
    for minutes in (1, 2, 3):
        seals.run(now=NOW + timedelta(minutes=minutes))
        ledger.post(ledger.transfer(balance, unapplied, minutes))
    proof = proofs.of(uid)
    later = Seal.objects.order_by("seq")[1:]
    proof["links"] = [{"root": f"0x{bytes(s.merkle_root).hex()}", "count": s.tx_count} for s in later]
    key = keccak(b"treasury-tenant" + acme.id.bytes)
    leaf = keccak(keccak(key + (3).to_bytes(32) + bytes.fromhex(last_hash()[2:])))
    other = keccak(b"another organisation")
    proof["epoch"] = {
        "number": 1,
        "tenant_key": f"0x{key.hex()}",
        "path": [f"0x{other.hex()}"],
        "root": f"0x{merkle.climb(leaf, [other]).hex()}",
    }

    assert check(proof)[0] == 2
    assert check(proof, "--seal-hash", last_hash()) == (0, "proven: seal 3 has the hash that you gave")
    for links in (proof["links"][:1], proof["links"][::-1], []):
        assert check({**proof, "links": links})[0] == 1 or links == proof["links"]


@pytest.mark.parametrize("tree", TREES[:9], ids=lambda tree: f"{tree['count']} leaves")
def test_the_program_climbs_the_paths_of_openzeppelin(tree):
    tool = load()

    for proof in tree["proofs"]:
        path = [bytes.fromhex(node[2:]) for node in proof["path"]]
        assert f"0x{tool['climb'](bytes.fromhex(proof['leaf'][2:]), path).hex()}" == tree["root"]


@given(st.binary(max_size=300))
def test_its_own_keccak_is_keccak(data):
    assert load()["keccak"](data) == keccak(data)


def load() -> dict[str, Any]:
    """The names of the program, which is no module of ours."""
    names: dict[str, Any] = {"__name__": "verify_proof"}
    exec(compile(TOOL.read_text(), TOOL, "exec"), names)
    return names


def test_holds_their_captures_and_reversals_are_sealed_proven_and_verified(acme, balance, unapplied, check):
    promise = holds.Promise(
        key="promise:1",
        description="Order 7",
        source_type="order",
        source_id=ids.new(),
        payer=balance,
        payee=unapplied,
        money=Money(10_00, "KES"),
    )
    placed = holds.place(promise=promise, actor=SYSTEM, now=NOW)
    captured = holds.capture(hold_id=placed.id, money=Money(4_00, "KES"), key="c", actor=SYSTEM, now=NOW)
    released = holds.release(hold_id=placed.id, reason="Order changed", actor=SYSTEM, now=NOW)
    original = ledger.post(ledger.transfer(balance, unapplied, 3_00))
    reversal = reversals.reverse(transaction_id=original.id, reason="Twice", actor=SYSTEM, now=NOW)
    other = holds.place(promise=replace(promise, key="promise:2"), actor=SYSTEM, now=NOW)
    holds.capture(hold_id=other.id, money=Money(1_00, "KES"), key="d", actor=SYSTEM, now=NOW)

    seals.run(now=LATER)

    for booked in (placed, captured, released, original, reversal):
        assert check(proofs.of(booked.id), "--seal-hash", last_hash())[0] == 0
    assert str(proofs.of(reversal.id)["statement"]).split("|")[6] == str(original.id)
    assert verification.verify().findings == ()
