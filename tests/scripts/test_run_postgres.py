"""run postgres: the embedded server, its roles, and whether a listener is our own."""

import dataclasses
import os

import psycopg
import pytest

from script.devkit import environment, ports, system
from script.devkit.databases import make_roles, secrets_of
from script.devkit.postgres import Cluster
from script.devkit.refusals import Refusal
from script.devkit.unprivileged import identity_for


@pytest.fixture
def cluster(folders):
    return Cluster(
        data=folders.postgres,
        port=ports.choose(taken=set()),
        password=secrets_of(folders, is_embedded=True)["POSTGRES_SUPERUSER_PASSWORD"],
        is_durable=False,
        identity=identity_for(folders.postgres),
    )


@pytest.fixture
def running(cluster, supervisor):
    cluster.prepare()
    child = supervisor.start(cluster.program(environment.base()))
    supervisor.wait_for("PostgreSQL", lambda: cluster.is_ready(child.process.pid), seconds=30)
    return cluster


def scalar(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def test_is_set_up_as_the_product_needs_it(running):
    assert scalar(running.admin_url, "SHOW max_locks_per_transaction") == "1024"
    assert scalar(running.admin_url, "SHOW listen_addresses") == "127.0.0.1"
    assert scalar(running.admin_url, "SHOW data_checksums") == "on"
    locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'postgres'"
    assert scalar(running.admin_url, locale) == "bC.UTF-8"


def test_lets_nobody_in_without_the_password(running):
    stranger = dataclasses.replace(running, password="wrong")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        scalar(stranger.admin_url, "SELECT 1")


def test_knows_its_own_server_by_process_and_folder(running, folders, supervisor):
    pid = supervisor.children["postgres"].process.pid

    assert running.running_pid() == pid
    assert not running.is_ready(os.getpid())
    elsewhere = dataclasses.replace(running, data=folders.var / "another")
    assert not elsewhere.is_ready(pid)
    assert elsewhere.running_pid() is None


def test_ends_a_server_that_an_earlier_run_left(running, supervisor):
    pid = supervisor.children["postgres"].process.pid

    assert running.stop_leftover() is True

    assert not system.is_alive(pid)
    assert running.stop_leftover() is False


def test_keeps_its_data_and_refuses_another_version(cluster):
    assert cluster.prepare() is True
    assert cluster.prepare() is False

    (cluster.data / "PG_VERSION").write_text("14\n")

    with pytest.raises(Refusal) as refused:
        cluster.prepare()
    assert refused.value.mend == "script/server --reset"


def test_makes_two_roles_of_which_one_only_connects(running, folders):
    secrets = secrets_of(folders, is_embedded=True)
    for _ in range(2):
        make_roles(running.admin_url, database="treasury", secrets=secrets)

    def rights(role: str, right: str) -> object:
        query = f"SELECT has_database_privilege('treasury_{role}', 'treasury', '{right}')"
        return scalar(running.admin_url, query)

    assert rights("app", "CONNECT") is True
    assert rights("app", "TEMP") is False
    assert rights("app", "CREATE") is False
    assert rights("owner", "CREATE") is True
    login = f"treasury_owner:{secrets['TREASURY_POSTGRES_OWNER_PASSWORD']}@127.0.0.1:{running.port}"
    assert scalar(
        f"postgresql://{login}/treasury", "SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
