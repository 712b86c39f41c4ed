"""
One pristine database per state of the schema, kept between runs; each worker gets a file copy of it.

Tests run as treasury_app. Two organisations exist: acme (a test one) and zuri, small teams; neither asks for a second
factor. ``db`` rolls back; ``transactional_db`` commits, and afterwards the owner takes away what there is (emptying.py).
"""

import gc
import hashlib
import importlib.metadata
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client, TestCase, TransactionTestCase
from django.utils import translation
from kombu.transport.memory import Channel

from apps.access.admin_sites import gate, step_up
from apps.kit import circuits, history, ids, rate_limits
from apps.tenancy.models import Domain, Organisation, OrganisationStatus
from apps.tenancy.services import data_keys, provisioning
from script.devkit import kept_schemas, ports
from script.devkit.ephemeral import RunningTreasury, running_treasury
from tests import emptying, ground, longest_first, object_storage, running
from tests.loopback import NO_TLS
from treasury.settings.database import LIMITS

ROOT = Path(__file__).resolve().parent.parent
SLUGS = emptying.SLUGS
BUILD_LOCK = 727001
DROP_TRIES = 20
OBJECTS_BETWEEN_LOOKS = 20_000
FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
hypothesis.settings.register_profile(
    "patient",
    parent=hypothesis.settings.default,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    deadline=None,
)
hypothesis.settings.load_profile("patient")  # how long it takes on a busy machine is no test
SHAPING_PACKAGES = ("django", "django-axes", "django-tenants", "django-celery-beat")


def fingerprint() -> str:
    """Hash whatever shapes the schema: the split of apps, migrations, SQL files, the packages that own tables."""
    digest = hashlib.sha256(repr((settings.SHARED_APPS, settings.TENANT_APPS)).encode())
    lists = (
        settings.NO_WRITE_TABLES,
        settings.WATCHED_TABLES,
        settings.WATCHED_PUBLIC_TABLES,
        history.WATCH,
        settings.INSERT_ONLY_TABLES,
        settings.NO_DELETE_TABLES,
        settings.APP_FUNCTIONS,
        settings.PUBLIC_READ_TABLES,
        settings.PUBLIC_INSERT_ONLY_TABLES,
        settings.PUBLIC_NO_DELETE_TABLES,
        settings.PUBLIC_TABLES,
    )
    digest.update(repr(lists).encode())
    sources = [
        *ROOT.glob("apps/*/migrations/*.py"),
        *ROOT.glob("apps/*/sql/*.sql"),
        ROOT / "tests/conftest.py",
    ]
    for path in sorted(sources):
        digest.update(path.name.encode() + path.read_bytes())
    for package in SHAPING_PACKAGES:
        digest.update(importlib.metadata.version(package).encode())
    return digest.hexdigest()[:12]


def server() -> psycopg.Connection:
    """Connect to the server's maintenance database as the owner."""
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user="treasury_owner",
        password=owner_password(),
        dbname="postgres",
        autocommit=True,
    )


def owner_password() -> str:

    return os.environ["TREASURY_POSTGRES_OWNER_PASSWORD"]


def app_password() -> str:

    return os.environ["TREASURY_POSTGRES_APP_PASSWORD"]


def use(name: str, role: str) -> None:
    password = owner_password() if role == "owner" else app_password()
    connection.close()
    options = {**settings.DATABASES["default"]["OPTIONS"], "options": LIMITS[role]}
    chosen = {"NAME": name, "USER": f"treasury_{role}", "PASSWORD": password, "OPTIONS": options}
    connection.settings_dict.update(chosen)
    settings.DATABASES["default"].update(chosen)


def build(admin: psycopg.Connection, name: str) -> None:
    """Make the pristine database the slow way, once per state of the schema."""
    building = f"{name}_building"
    admin.execute(f'DROP DATABASE IF EXISTS "{building}" WITH (FORCE)')
    admin.execute(f'CREATE DATABASE "{building}" TEMPLATE template0')
    use(building, "owner")
    there = connection.settings_dict
    url = f"postgresql://{there['HOST']}:{there['PORT']}/{building}"
    with kept_schemas.begun_with({**os.environ, "TREASURY_POSTGRES_URL": url}):
        call_command("migrate_all", verbosity=0)
    for slug in SLUGS:
        organisation = Organisation.objects.create(
            slug=slug,
            schema_name=f"org_{slug}",
            name=slug.title(),
            is_test=slug == "acme",
            requires_second_factor=False,
            is_small_team=True,
            status=OrganisationStatus.PROVISIONING,
        )
        Domain.objects.create(domain=f"{slug}.testserver", tenant=organisation, is_primary=True)
        data_keys.create(organisation=organisation)
        provisioning.provision(organisation_id=organisation.id)
    connection.close()
    admin.execute(f'ALTER DATABASE "{building}" RENAME TO "{name}"')


def drop(admin: psycopg.Connection, name: str) -> None:
    """Drop a database; autovacuum may be in it, and the owner may not end that, so try again while it works."""
    for _ in range(DROP_TRIES):
        try:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        except psycopg.errors.InsufficientPrivilege:
            time.sleep(0.5)
        else:
            return
    admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def copy(admin: psycopg.Connection, pristine: str, name: str) -> None:
    drop(admin, name)
    admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{pristine}" STRATEGY FILE_COPY')
    admin.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    admin.execute(f'GRANT CONNECT ON DATABASE "{name}" TO treasury_app')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    longest_first.sort(items)
    ground.sort(items)
    gc.freeze()  # what the whole run needs is not looked through again and again for garbage
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker) -> Iterator[None]:

    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    pristine = f"test_pristine_{fingerprint()}"
    name = f"test_{fingerprint()}_{worker}_{os.getpid()}"
    with django_db_blocker.unblock(), server() as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [BUILD_LOCK])
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [pristine]).fetchone():
            build(admin, pristine)
        copy(admin, pristine, name)
        admin.execute("SELECT pg_advisory_unlock(%s)", [BUILD_LOCK])
        use(name, "app")
        with owner() as database:
            emptying.remember(database)
    yield
    with django_db_blocker.unblock(), server() as admin:
        connections.close_all()
        drop(admin, name)


@pytest.fixture(scope="session", autouse=True)
def reset_after_transactional_tests() -> Iterator[None]:
    """Django's flush cannot work: the application may not truncate, and it would see one schema only."""

    emptier = emptying.Emptier(owner)

    def teardown(self: TransactionTestCase) -> None:
        emptying.leave_as_new()
        emptier.put_right()

    own = TestCase.__dict__.get("_fixture_teardown")
    assert own is not None, "TestCase keeps its own teardown: it rolls back"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda _: False)
        yield
    emptier.close()


def truncate() -> None:
    """Take away whatever has been committed."""
    with owner() as database:
        emptying.empty(database)


def owner() -> psycopg.Connection:
    """Connect to the test database as its owner: to break an invariant, or to look behind the grants."""
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user="treasury_owner",
        password=owner_password(),
        dbname=database["NAME"],
    )


@pytest.fixture
def owner_connection(db) -> Iterator[psycopg.Connection]:
    with owner() as database:
        yield database


@pytest.fixture(scope="module")
def lay(django_db_setup, django_db_blocker) -> Iterator[Callable[..., Any]]:
    """
    Return ground.lay: what it writes is there for each test of the file that rolls back, and gone after the file.

    What it returns is shared by those tests: a fixture of the file gives each a copy where it can be changed.
    """

    def write(*arguments: Any, **chosen: Any) -> Any:
        with django_db_blocker.unblock():
            return ground.lay(*arguments, **chosen)

    yield write
    with django_db_blocker.unblock():
        ground.clear()


@pytest.fixture
def in_organisation() -> Iterator[Callable[[str], Organisation]]:
    """Return a function that enters an organisation by slug; the database fixture must be requested beside it."""

    def enter(slug: str) -> Organisation:
        connection.set_schema_to_public()
        organisation = Organisation.objects.get(slug=slug)
        connection.set_tenant(organisation)
        return organisation

    yield enter
    connection.set_schema_to_public()


@pytest.fixture
def acme(db, in_organisation) -> Organisation:
    """Enter acme, a test organisation."""
    return in_organisation("acme")


@pytest.fixture
def zuri(db, in_organisation) -> Organisation:
    """Enter zuri, a live organisation."""
    return in_organisation("zuri")


@pytest.fixture
def committed_acme(transactional_db, in_organisation) -> Organisation:
    """Enter acme in a test that commits: for second connections and threads."""
    return in_organisation("acme")


@pytest.fixture(autouse=True)
def start_in_public(request: pytest.FixtureRequest, django_db_blocker) -> Iterator[None]:
    if "transactional_db" in request.fixturenames:
        assert not ground.needs(request.node), "what commits cannot build upon what is never committed"
        with django_db_blocker.unblock():
            ground.clear()
    connection.set_schema_to_public()
    yield
    connection.set_schema_to_public()
    cache.clear()
    rate_limits.forget()
    Channel.queues.clear()
    circuits.forget()


@pytest.fixture(autouse=True)
def fresh_proofs(monkeypatch) -> None:
    """Whoever a test signs in past the sign-in page has proved himself and is busy, now and for as long as the test lasts."""
    past_the_page = Client._login

    def login(self: Client, user: Any, backend: Any = None) -> None:
        past_the_page(self, user, backend)
        session = self.session
        session[step_up.PROVED_AT] = session[gate.SEEN_AT] = FAR_AHEAD
        session.save()

    monkeypatch.setattr(Client, "_login", login)


@pytest.fixture(autouse=True)
def leave_no_language() -> Iterator[None]:
    """The last request's language stays in its thread, which is the tests' own here."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def storage_server(tmp_path_factory) -> Iterator[object_storage.ObjectStorage]:
    """Run a real server that speaks S3 beside the tests."""
    with object_storage.running(tmp_path_factory.mktemp("object-storage")) as server:
        yield server


@pytest.fixture
def bucket(storage_server, settings) -> object_storage.BehindBucket:
    """Keep the files of this test in the bucket of that server, in a folder of its own."""
    behind = object_storage.BehindBucket(storage_server, prefix=f"test-{ids.token(8)}")
    settings.STORAGES = object_storage.storages(storage_server.url, prefix=behind.prefix)
    return behind


@pytest.fixture
def storage_away(settings) -> object_storage.Away:
    """Let the storage be away from ``begin`` to ``end``: a bucket that nobody serves."""
    before = settings.STORAGES
    nowhere = object_storage.storages(f"http://127.0.0.1:{ports.choose(taken=set())}", prefix="away")
    return object_storage.Away(
        begin=lambda: setattr(settings, "STORAGES", nowhere),
        end=lambda: setattr(settings, "STORAGES", before),
    )


@pytest.fixture
def own_folder(settings, tmp_path) -> object_storage.BehindFolder:
    """Keep the files of the test in a folder of its own: what is kept for years would be met by a later test."""
    options = {"location": str(tmp_path), "base_url": None}
    place = {"BACKEND": "apps.kit.folder_storage.FolderStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "documents": place, "results": place}
    return object_storage.BehindFolder(tmp_path)


@pytest.fixture(params=["folder", "s3"])
def each_storage(request) -> object_storage.BehindFolder | object_storage.BehindBucket:
    """Run the test once with files in a folder and once in a bucket."""
    found = request.getfixturevalue("bucket" if request.param == "s3" else "own_folder")
    assert isinstance(found, (object_storage.BehindFolder, object_storage.BehindBucket))
    return found


@pytest.fixture(scope="session")
def treasury() -> Iterator[RunningTreasury]:
    """Run a whole treasury of its own beside the tests: database, broker, simulator, web, workers and beat."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.ENVIRONMENT.items():
            patch.setenv(name, value)
        with running_treasury() as started:
            yield started


@pytest.fixture(scope="session")
def running_world(treasury, django_db_blocker) -> Iterator[running.World]:
    """Give the tests the partner's, the simulator's and the database's view of the running treasury."""
    with (
        django_db_blocker.unblock(),
        running.look_into(treasury),
        httpx.Client(timeout=60, verify=NO_TLS) as client,
    ):
        world = running.World(treasury, client)
        world.connect_inbox()
        yield world


@pytest.fixture
def world(running_world, start_in_public, django_db_blocker) -> Iterator[running.World]:
    """Enter the demo organisation of the running treasury; afterwards it must foot."""
    with django_db_blocker.unblock():
        running.enter()
        yield running_world
        running.enter()
        running_world.assert_foots()
