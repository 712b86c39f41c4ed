"""run once: a second server over the same folder says who runs the first."""

import os

import pytest

from script.devkit.single import AlreadyRunning, only_one


def test_the_second_is_told_the_process_and_the_address(folders):
    first = only_one(folders, purpose="http://127.0.0.1:4001")
    second = only_one(folders, purpose="http://127.0.0.1:4002")

    with first, pytest.raises(AlreadyRunning) as refused, second:
        pass

    assert f"http://127.0.0.1:4001 (pid {os.getpid()})" in refused.value.what
    assert refused.value.mend.startswith(f"kill {os.getpid()}")


def test_the_next_may_start_once_the_first_has_ended(folders):
    with only_one(folders, purpose="first"):
        pass

    with only_one(folders, purpose="second"):
        assert "second" in (folders.var / "server.lock").read_text()
