"""Heads outside the database: who may do everything there, cuts the end off and mends what it keeps of that, is found."""

from apps.audit.services import chain
from apps.kit import clock
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


def test_says_that_it_cannot_read_them(committed_acme, storage_away):
    write("b1")
    chain.seal()
    storage_away.begin()

    assert problems() == [(0, "the heads that are kept outside the database cannot be read now: try again")]
