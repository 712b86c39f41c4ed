"""drop privileges: started by root, databases run as somebody else, who must be able to reach their folder."""

import os
from collections.abc import Callable

from script.devkit.refusals import Refusal
from script.devkit.unprivileged import Identity, check_reach, identity_for


def test_an_ordinary_user_stays_himself_and_root_becomes_nobody(folders, monkeypatch):
    monkeypatch.delenv("SUDO_UID", raising=False)

    identity = identity_for(folders.postgres)

    assert (identity is None) == (os.geteuid() != 0)
    assert identity is None or identity.uid != 0


def test_existing_data_keeps_its_owner(folders):
    folders.postgres.mkdir()
    owner = 12_345 if os.geteuid() == 0 else os.geteuid()
    os.chown(folders.postgres, owner, -1)

    identity = identity_for(folders.postgres)

    assert identity == (Identity(owner, folders.postgres.stat().st_gid) if os.geteuid() == 0 else None)


def refusal_of(check: Callable[[], None]) -> Refusal | None:
    """What root is told; an ordinary user changes to nobody else, so nothing is in his way."""
    try:
        check()
    except Refusal as refused:
        return refused
    assert os.geteuid() != 0
    return None


def test_a_folder_that_cannot_be_passed_is_named_with_the_command(folders):
    closed = folders.var / "closed"
    (closed / "checkout").mkdir(parents=True)
    closed.chmod(0o700)
    data = closed / "checkout" / "postgres"

    refused = refusal_of(lambda: check_reach(identity_for(data), folder=data, programs=[]))

    if refused:
        assert f"may not pass through {closed}." in refused.what
        assert refused.mend == f"chmod o+x {closed}"
    closed.chmod(0o755)
    check_reach(identity_for(data), folder=data, programs=[])


def test_a_program_that_cannot_be_run_is_named_with_the_command(folders):
    program = folders.var / "postgres-program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    data = folders.postgres

    refused = refusal_of(lambda: check_reach(identity_for(data), folder=data, programs=[program]))

    if refused:
        assert refused.mend == f"chmod -R o+rX {folders.var}"
    program.chmod(0o755)
    check_reach(identity_for(data), folder=data, programs=[program])
