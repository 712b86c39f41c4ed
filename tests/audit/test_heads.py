"""Heads outside the database: who may do everything there, and mends what it keeps of its chains, is found."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from apps.audit.models import COLUMNS, AuditLink, AuditRecord
from apps.audit.services import chain, heads
from apps.kit import clock, storage, trail
from tests.audit.test_chain import problems, tamper, write

CUT_OFF = (
    "DELETE FROM audit_auditlink WHERE seq >= 3",
    "DELETE FROM audit_auditrecord WHERE object_id IN ('b3', 'b4')",
    "DELETE FROM public.accounts_trailhead WHERE seq >= 3",
)


def test_betrays_an_end_that_was_cut_off_and_one_that_was_written_anew(committed_acme, each_storage):
    write("b1", "b2")
    chain.seal()
    write("b3", "b4")
    chain.check(now=clock.now())
    chain.check(now=clock.now())
    assert problems() == []

    tamper(*CUT_OFF)

    assert problems() == [(4, "is missing, and was kept outside the database")]
    write("c3", "c4", "c5")
    chain.seal()
    assert problems() == [(4, "has another hash than the one that was kept outside the database")]


def test_betrays_a_chain_that_was_written_anew_before_the_night(committed_acme, each_storage):
    write("b1", "b2")
    chain.check(now=clock.now())
    write("b3")
    chain.seal()

    write_anew("b1")

    kept = storage.names(folder=heads.FOLDER)
    for _ in range(2):
        assert problems() == [(2, "has another hash than the one that was kept outside the database")]
        with pytest.raises(heads.HeadsDiffer, match="number 2: has another hash"):
            chain.check(now=clock.now())
    assert storage.names(folder=heads.FOLDER) == kept


def test_compares_every_head_and_takes_no_second_one_of_a_number(committed_acme, each_storage):
    write("b1", "b2")
    chain.check(now=clock.now())
    write_anew("b1")
    write("b3")
    chain.seal()
    heads._put(chain.present(), now=clock.now())
    other = b'{"chain": "another"}'
    forged = f"{heads.FOLDER}/000000000003-{hashlib.sha256(other).hexdigest()[:16]}"
    each_storage.write(f"{storage.root()}/{forged}", other)
    each_storage.write(f"{storage.root()}/{heads.FOLDER}/zzz", b"{}")

    assert problems() == [
        (0, "zzz lies among the heads that are kept outside the database, and is none"),
        (3, "has 2 heads that were kept outside the database"),
        (2, "has another hash than the one that was kept outside the database"),
        (3, "was kept outside the database, and that file is not what was written"),
    ]


def test_betrays_an_emptied_folder_and_begins_it_again(committed_acme, each_storage):
    write("b1")
    chain.seal()
    live = replace(chain.present(), is_live=True)
    soon, later = clock.now(), clock.now() + heads.FIRST_WITHIN + timedelta(hours=1)
    assert list(heads.findings(live, now=soon)) == []
    assert [found.problem for found in heads.findings(live, now=later)] == [heads.EMPTIED]

    with pytest.raises(heads.HeadsDiffer, match=heads.EMPTIED):
        heads.keep(live, now=later)

    heads.keep(live, now=later)
    assert list(heads.findings(live, now=later)) == []


def test_says_when_a_head_is_gone(committed_acme, bucket):
    write("b1")
    chain.check(now=clock.now())
    [name] = storage.names(folder=heads.FOLDER)
    bucket.delete(f"{storage.root()}/{heads.FOLDER}/{name}")

    assert problems() == [(1, "was kept outside the database, and that file is gone")]


def test_says_that_it_cannot_read_them(committed_acme, storage_away):
    write("b1")
    chain.seal()
    storage_away.begin()

    assert problems() == [(0, "the heads that are kept outside the database cannot be read now: try again")]


def write_anew(thing: str) -> None:
    """Change a record, and have every link, and the heads that the database keeps, follow from that."""
    tamper(f"UPDATE audit_auditrecord SET reason = 'another' WHERE object_id = '{thing}'")
    before, statements = trail.NOTHING_BEFORE, []
    for link in AuditLink.objects.order_by("seq"):
        columns = AuditRecord.objects.values(*COLUMNS[link.form]).get(id=link.record_id)
        given = trail.document(form=link.form, chain=chain.present().name, seq=link.seq, columns=columns)
        own = trail.link_hash(prev_hash=before, given=given)
        statements += [
            f"UPDATE audit_auditlink SET prev_hash = '\\x{before.hex()}', hash = '\\x{own.hex()}' WHERE seq = {link.seq}",
            f"UPDATE public.accounts_trailhead SET hash = '\\x{own.hex()}' WHERE seq = {link.seq}",
        ]
        before = own
    tamper(*statements)
