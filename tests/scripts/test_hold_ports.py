"""hold ports: a taken port is named with the process that has it, and nothing is started."""

import os
import socket
import subprocess

import pytest

from script.devkit import ports
from script.devkit.folders import ROOT
from script.devkit.refusals import Refusal


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_refusal_names_the_process_and_another_port(taken):
    with pytest.raises(Refusal) as refused:
        ports.require_free(taken, purpose="web interface", variable="TREASURY_HTTP_PORT")

    assert f"port {taken}, needed for the web interface" in refused.value.what
    assert f"(pid {os.getpid()})" in refused.value.what
    variable, _, rest = refused.value.mend.partition("=")
    assert variable == "TREASURY_HTTP_PORT"
    assert ports.is_free(int(rest.split()[0]))


def test_script_server_refuses_before_it_makes_a_database(taken, folders):
    done = subprocess.run(
        [ROOT / "script" / "server", "--var", folders.var, "--port", str(taken), "--simulator-port", "0"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert f"port {taken}" in done.stderr
    assert not folders.postgres.exists()
    assert not folders.valkey.exists()


def test_chosen_ports_are_remembered(tmp_path):
    first = ports.remembered(tmp_path / "ports.json", ["postgres", "valkey"])

    assert ports.remembered(tmp_path / "ports.json", ["postgres", "valkey"]) == first
    assert first["postgres"] != first["valkey"]
    assert 5432 not in first.values()
