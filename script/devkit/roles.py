"""
Makes the two database roles and the database; run by .venv's Python, which has psycopg.

Reads ADMIN_URL, DATABASE and the two passwords from the environment and may be repeated at any time.
"""

import os
import sys

import psycopg
from psycopg import sql

OLDEST_VERSION = 150_000


def main() -> int:
    """Prepare the server; a sentence on the error stream and 1 when it cannot be used."""
    database = os.environ["DATABASE"]
    try:
        with psycopg.connect(os.environ["ADMIN_URL"], autocommit=True, connect_timeout=10) as connection:
            if connection.info.server_version < OLDEST_VERSION:
                print("PostgreSQL 15 or newer is needed.", file=sys.stderr)
                return 1
            _role(
                connection, "treasury_owner", os.environ["TREASURY_POSTGRES_OWNER_PASSWORD"], "LOGIN CREATEDB"
            )
            _role(connection, "treasury_app", os.environ["TREASURY_POSTGRES_APP_PASSWORD"], "LOGIN NOINHERIT")
            _database(connection, database)
    except psycopg.Error as error:
        print(str(error).strip(), file=sys.stderr)
        return 1
    return 0


def _role(connection: psycopg.Connection, name: str, password: str, options: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = "ALTER" if known else "CREATE"
    connection.execute(
        sql.SQL("{verb} ROLE {name} {options} PASSWORD {password}").format(
            verb=sql.SQL(verb),
            name=sql.Identifier(name),
            options=sql.SQL(options),
            password=sql.Literal(password),
        )
    )


def _database(connection: psycopg.Connection, name: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    database, owner = sql.Identifier(name), sql.Identifier("treasury_owner")
    if not known:
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(database, owner)
        )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO treasury_app").format(database))


if __name__ == "__main__":
    sys.exit(main())
