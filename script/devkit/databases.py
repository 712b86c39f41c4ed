"""Brings PostgreSQL and Valkey up, or checks those that the environment names, and prepares roles and database."""

import os
import subprocess
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from script.devkit import environment, passwords, ports
from script.devkit.environment import Servers
from script.devkit.folders import PYTHON, ROOT, Folders, not_writable
from script.devkit.postgres import Cluster, binaries
from script.devkit.refusals import Refusal
from script.devkit.steps import step
from script.devkit.supervisor import Supervisor
from script.devkit.unprivileged import check_reach, identity_for
from script.devkit.valkey import Broker, binary

DATABASE = "treasury"
START_SECONDS = 60.0
PING = "import os, redis; redis.from_url(os.environ['TREASURY_REDIS_URL'], socket_timeout=5).ping()"


@dataclass(frozen=True)
class Wanted:
    """Which servers to use: the embedded ones, unless the environment names others and may do so."""

    postgres_url: str
    redis_url: str
    is_durable: bool

    @classmethod
    def from_environment(cls, *, is_durable: bool, is_embedded: bool = False) -> "Wanted":
        names = ("TREASURY_POSTGRES_URL", "TREASURY_REDIS_URL")
        postgres_url, redis_url = ("" if is_embedded else os.environ.get(name, "") for name in names)
        return cls(postgres_url=postgres_url, redis_url=redis_url, is_durable=is_durable)


def secrets_of(folders: Folders, *, is_embedded: bool = False) -> dict[str, str]:
    """The passwords and keys of this folder; those that the environment gives win, unless all is embedded."""
    secrets = passwords.load(folders.var / "secrets.env")
    if is_embedded:
        return secrets
    return secrets | {name: os.environ[name] for name in secrets if os.environ.get(name)}


def check_folders(folders: Folders, *, wanted: Wanted) -> None:
    """Refuse early what would stop a server later: data of another user, a folder that its user cannot reach."""
    for data, url in ((folders.postgres, wanted.postgres_url), (folders.valkey, wanted.redis_url)):
        if data.exists() and not os.access(data, os.R_OK | os.W_OK | os.X_OK):
            raise not_writable(data)
        if not url:
            check_reach(identity_for(data), folder=data, programs=[])


def open_servers(
    folders: Folders, supervisor: Supervisor, *, wanted: Wanted, secrets: dict[str, str]
) -> Servers:
    """Start or check both servers; afterwards both roles and the database exist."""
    check_folders(folders, wanted=wanted)
    postgres_url = (
        _use_postgres(wanted.postgres_url, secrets)
        if wanted.postgres_url
        else _start_postgres(folders, supervisor, secrets, is_durable=wanted.is_durable)
    )
    redis_url = (
        _use_redis(wanted.redis_url)
        if wanted.redis_url
        else _start_valkey(folders, supervisor, secrets, is_durable=wanted.is_durable)
    )
    return Servers(postgres_url=postgres_url, redis_url=redis_url)


def _start_postgres(
    folders: Folders, supervisor: Supervisor, secrets: dict[str, str], *, is_durable: bool
) -> str:
    with step("postgres") as running:
        identity = identity_for(folders.postgres)
        check_reach(
            identity, folder=folders.postgres, programs=[binaries() / "postgres", binaries() / "initdb"]
        )
        cluster = Cluster(
            data=folders.postgres,
            port=_own_port(folders, "postgres"),
            password=secrets["POSTGRES_SUPERUSER_PASSWORD"],
            is_durable=is_durable,
            identity=identity,
        )
        is_new = cluster.prepare()
        child = supervisor.start(cluster.program(environment.base()))
        supervisor.wait_for("PostgreSQL", lambda: cluster.is_ready(child.process.pid), seconds=START_SECONDS)
        make_roles(cluster.admin_url, database=DATABASE, secrets=secrets)
        running.note = f"127.0.0.1:{cluster.port}{', new' if is_new else ''}"
    return f"postgresql://127.0.0.1:{cluster.port}/{DATABASE}"


def _start_valkey(
    folders: Folders, supervisor: Supervisor, secrets: dict[str, str], *, is_durable: bool
) -> str:
    with step("valkey") as running:
        identity = identity_for(folders.valkey)
        check_reach(identity, folder=folders.valkey, programs=[binary()])
        broker = Broker(
            data=folders.valkey,
            port=_own_port(folders, "valkey"),
            password=secrets["VALKEY_PASSWORD"],
            is_durable=is_durable,
            identity=identity,
        )
        broker.prepare()
        child = supervisor.start(broker.program(environment.base()))
        supervisor.wait_for("Valkey", lambda: broker.is_ready(child.process.pid), seconds=START_SECONDS)
        running.note = f"127.0.0.1:{broker.port}"
    return broker.url


def _own_port(folders: Folders, name: str) -> int:
    """The port remembered for this server; another one when a stranger has taken it meanwhile."""
    path = folders.var / "ports.json"
    chosen = ports.remembered(path, ["postgres", "valkey"])
    if not ports.is_free(chosen[name]):
        chosen[name] = ports.choose(taken=set(chosen.values()))
        ports.write(path, chosen)
    return chosen[name]


def _use_postgres(url: str, secrets: dict[str, str]) -> str:
    """Prepare the server that TREASURY_POSTGRES_URL names; return its address without user and password."""
    with step("postgres") as running:
        parts = urlsplit(url)
        host, database = parts.hostname or "127.0.0.1", parts.path.strip("/") or DATABASE
        address = f"{host}:{parts.port or 5432}"
        running.note = f"{address}, from TREASURY_POSTGRES_URL"
        if parts.username:
            admin = urlunsplit(parts._replace(path="/postgres"))
            make_roles(admin, database=database, secrets=secrets)
        else:
            owner = f"treasury_owner:{quote(secrets['TREASURY_POSTGRES_OWNER_PASSWORD'], safe='')}@{address}"
            _require_login(urlunsplit(parts._replace(netloc=owner, path=f"/{database}")))
        return urlunsplit(parts._replace(netloc=address, path=f"/{database}"))


def _use_redis(url: str) -> str:
    with step("valkey") as running:
        running.note = f"{urlsplit(url).hostname}, from TREASURY_REDIS_URL"
        asked = _ask([str(PYTHON), "-c", PING], TREASURY_REDIS_URL=url)
        if asked.returncode:
            raise Refusal(
                f"the server that TREASURY_REDIS_URL names does not answer: {_last_line(asked.stderr)}",
                mend="unset TREASURY_REDIS_URL    # uses the embedded Valkey",
            )
    return url


def make_roles(admin_url: str, *, database: str, secrets: dict[str, str]) -> None:
    """Make or refresh treasury_owner, treasury_app and the database, by a user who may."""
    names = ("TREASURY_POSTGRES_OWNER_PASSWORD", "TREASURY_POSTGRES_APP_PASSWORD")
    given = {name: secrets[name] for name in names}
    asked = _ask([str(PYTHON), "-m", "script.devkit.roles"], ADMIN_URL=admin_url, DATABASE=database, **given)
    if asked.returncode:
        raise Refusal(
            f"roles and database could not be made: {asked.stderr.strip()}",
            mend="unset TREASURY_POSTGRES_URL    # uses the embedded PostgreSQL",
        )


def _require_login(url: str) -> None:
    """An address without a user means that somebody has made the roles and given their passwords."""
    code = "import os, psycopg; psycopg.connect(os.environ['OWNER_URL'], connect_timeout=10).close()"
    asked = _ask([str(PYTHON), "-c", code], OWNER_URL=url)
    if asked.returncode:
        raise Refusal(
            f"treasury_owner cannot log in where TREASURY_POSTGRES_URL points: {_last_line(asked.stderr)}",
            mend="TREASURY_POSTGRES_URL=postgresql://ADMIN:PASSWORD@HOST:PORT/treasury script/server\n"
            "unset TREASURY_POSTGRES_URL    # or: uses the embedded PostgreSQL",
        )


def _ask(command: list[str], **extra: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, check=False, cwd=ROOT, env={**environment.base(), **extra}, capture_output=True, text=True
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
