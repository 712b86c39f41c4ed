"""run valkey: the embedded broker behind its password, and whether a listener is our own."""

import dataclasses
import os

import pytest
import redis

from script.devkit import environment, ports
from script.devkit.unprivileged import identity_for
from script.devkit.valkey import Broker


@pytest.fixture
def broker(folders, supervisor):
    made = Broker(
        data=folders.valkey,
        port=ports.choose(taken=set()),
        password="correct-horse",
        identity=identity_for(folders.valkey),
    )
    made.prepare()
    child = supervisor.start(made.program(environment.base()))
    supervisor.wait_for("Valkey", lambda: made.is_ready(child.process.pid), seconds=30)
    return made


def test_takes_the_password_and_no_other(broker):
    with redis.from_url(broker.url) as client:
        assert client.ping() is True
        assert client.config_get("appendonly") == {"appendonly": "yes"}

    stranger = redis.from_url(dataclasses.replace(broker, password="wrong").url)
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_knows_its_own_server_by_process(broker, supervisor):
    pid = supervisor.children["valkey"].process.pid

    assert broker.is_ready(pid)
    assert not broker.is_ready(os.getpid())
    assert not dataclasses.replace(broker, password="wrong").is_ready(pid)


def test_keeps_the_password_off_the_command_line_and_private(broker, supervisor, folders):
    assert broker.password not in " ".join(supervisor.children["valkey"].program.command)
    assert (folders.valkey / "valkey.conf").stat().st_mode & 0o777 == 0o600


def test_keeps_its_data_over_a_restart(broker, supervisor):
    with redis.from_url(broker.url) as client:
        client.set("kept", "yes")

    supervisor.stop_all()
    child = supervisor.start(broker.program(environment.base()))
    supervisor.wait_for("Valkey", lambda: broker.is_ready(child.process.pid), seconds=30)

    with redis.from_url(broker.url) as client:
        assert client.get("kept") == b"yes"
