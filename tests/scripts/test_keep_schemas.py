"""Keep schemas: what one empty database was migrated to is what the next one begins with, and no other is touched."""

from dataclasses import dataclass
from itertools import count

import psycopg
import pytest

from script.devkit import kept_schemas
from script.devkit.kept_schemas import begun_with
from script.devkit.postgres import login
from script.devkit.refusals import Refusal
from script.devkit.throwaway import throw_away_servers

_numbers = count(1)


@dataclass(frozen=True)
class Database:
    """A database of the embedded server, and the variables of a treasury over it."""

    variables: dict[str, str]

    def run(self, statement: str) -> psycopg.Cursor:
        there, name = login(self.variables, "owner")
        with psycopg.connect(
            host=there["PGHOST"],
            port=there["PGPORT"],
            user=there["PGUSER"],
            password=there["PGPASSWORD"],
            dbname=name,
            autocommit=True,
        ) as connection:
            return connection.execute(statement)

    def other(self, name: str) -> "Database":
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        url, _, _ = self.variables["TREASURY_POSTGRES_URL"].rpartition("/")
        return Database({**self.variables, "TREASURY_POSTGRES_URL": f"{url}/{name}"})

    def migrate(self, *names: str) -> None:
        """Do what a migrate job does, as far as it matters here."""
        self.run("CREATE TABLE django_migrations (name text NOT NULL CHECK (name <> ''))")
        for name in names:
            self.run(f"INSERT INTO django_migrations VALUES ('{name}')")

    def migrations(self) -> list[str]:
        return [name for (name,) in self.run("SELECT name FROM django_migrations ORDER BY name").fetchall()]


@pytest.fixture(scope="module")
def server():
    with throw_away_servers(is_durable=True) as (_, own):
        yield Database(own)


@pytest.fixture
def new(server, tmp_path, monkeypatch):
    """Return a function that makes an empty database; nothing is kept yet."""
    monkeypatch.setattr(kept_schemas, "FOLDER", tmp_path / "schemas")
    return lambda: server.other(f"db_{next(_numbers)}")


def migrate_and_fail(database):
    with begun_with(database.variables):
        database.migrate("0001")
        raise Refusal("the migrate job ended with code 1")


def test_begins_a_database_with_what_the_one_before_became(new):
    first, second, older = new(), new(), new()
    older.migrate("0000")
    with begun_with(first.variables):
        first.migrate("0001", "0002")

    with begun_with(second.variables):
        assert second.migrations() == ["0001", "0002"]
    with begun_with(older.variables):
        assert older.migrations() == ["0000"]

    with pytest.raises(psycopg.errors.CheckViolation):
        second.run("INSERT INTO django_migrations VALUES ('')")


def test_keeps_nothing_of_a_job_that_failed_nor_of_other_code(new, tmp_path, monkeypatch):
    first, second, third = new(), new(), new()
    with pytest.raises(Refusal):
        migrate_and_fail(first)
    assert not kept_schemas.FOLDER.exists()
    with begun_with(second.variables):
        second.migrate("0001")
    (tmp_path / "apps/payments/migrations").mkdir(parents=True)
    (tmp_path / "apps/payments/migrations/0002_more.py").touch()
    monkeypatch.setattr(kept_schemas, "ROOT", tmp_path)

    with begun_with(third.variables):
        third.migrate("0002")

    [dump] = kept_schemas.FOLDER.iterdir()
    assert "\n0002\n" in dump.read_text()
    assert "\n0001\n" not in dump.read_text()


def test_leaves_a_server_alone_that_the_environment_names(new, tmp_path):
    first = new()
    named = {**first.variables, "TREASURY_VAR": str(tmp_path)}

    with begun_with(named):
        first.migrate("0001")

    assert not kept_schemas.FOLDER.exists()
