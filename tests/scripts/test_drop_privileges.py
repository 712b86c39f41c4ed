"""drop privileges: started by root, databases run as somebody else, who must be able to reach their folder."""

import os
from pathlib import Path

import pytest

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


def test_a_folder_that_cannot_be_passed_is_named_with_the_command(folders):
    closed = folders.var / "closed"
    (closed / "checkout").mkdir(parents=True)
    closed.chmod(0o600)
    me = Identity(os.geteuid(), os.getegid()) if os.geteuid() else identity_for(folders.postgres)

    with pytest.raises(Refusal) as refused:
        check_reach(me, folder=closed / "checkout" / "postgres", programs=[])

    closed.chmod(0o755)
    assert f"may not pass through {closed}." in refused.value.what
    assert refused.value.mend == f"chmod o+x {closed}"
    check_reach(me, folder=closed / "checkout" / "postgres", programs=[])


def test_a_program_that_cannot_be_run_is_named_with_the_command(folders):
    program = folders.var / "postgres-program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o600)
    me = Identity(os.geteuid(), os.getegid()) if os.geteuid() else identity_for(Path("/nonexistent"))

    with pytest.raises(Refusal) as refused:
        check_reach(me, folder=folders.postgres, programs=[program])

    assert refused.value.mend == f"chmod -R o+rX {folders.var}"
