"""Refuse unsafe settings: production starts with safe ones only, and names each that is not, all at once."""

import pytest

from tests.deploy.production import SAFE, python

UNSAFE = [
    ("TREASURY_POSTGRES_URL", "postgresql://db.example.com/treasury", "crosses networks in clear"),
    ("TREASURY_POSTGRES_URL", "postgresql://db.example.com/treasury?sslmode=prefer", "in clear"),
    ("TREASURY_POSTGRES_URL", "postgresql://db.internal/treasury?options=-c", "not options"),
    ("TREASURY_DEBUG", "true", "unset it"),
    ("DEBUG", "1", "unset it"),
    ("DJANGO_DEBUG", "yes", "unset it"),
    ("TREASURY_SECRET_KEY", "", "is not set"),
    ("TREASURY_SECRET_KEY", "short", "50 or more random characters"),
    ("TREASURY_SECRET_KEY", "ab" * 40, "50 or more random characters"),
    ("TREASURY_SECRET_KEY", f"django-insecure-{SAFE['TREASURY_SECRET_KEY']}", "is an example"),
    ("TREASURY_SECRET_KEY", f"change-me-{SAFE['TREASURY_SECRET_KEY']}", "is an example"),
    ("TREASURY_MASTER_KEY", "", "is not set"),
    ("TREASURY_MASTER_KEY", "no base64!", "base64 of 32 random bytes"),
    ("TREASURY_MASTER_KEY", "c2hvcnQ=", "base64 of 32 random bytes"),
    ("TREASURY_MASTER_KEY", f"{'A' * 43}=", "can be guessed"),
    ("TREASURY_ALLOWED_HOSTS", "", "is empty"),
    ("TREASURY_ALLOWED_HOSTS", "*", "lets every host in"),
    ("TREASURY_ALLOWED_HOSTS", "pay.example.com,*", "lets every host in"),
    ("TREASURY_ALLOWED_HOSTS", "https://pay.example.com", "host names alone"),
    ("TREASURY_PUBLIC_URL", "", "must be the https:// address"),
    ("TREASURY_PUBLIC_URL", "http://pay.example.com", "must be the https:// address"),
    ("TREASURY_PUBLIC_URL", "https://127.0.0.1:4001", "no provider can reach"),
    ("TREASURY_PUBLIC_URL", "https://elsewhere.example.com", "is not served"),
    ("TREASURY_BASE_DOMAIN", "localhost", "is this machine"),
    ("TREASURY_FAULT_PATH", "/tmp/faults", "unset it"),
    ("TREASURY_SIMULATOR_URL", "http://127.0.0.1:4010", "unset it"),
    ("TREASURY_WEBHOOK_LOOPBACK", "http://127.0.0.1:5000/", "unset it"),
    ("TREASURY_ONBOARDING_OPEN", "true", "unset it"),
    ("TREASURY_POSTGRES_URL", "", "is not set"),
    ("TREASURY_POSTGRES_URL", "mysql://db/treasury", "postgresql://host:port/database"),
    ("TREASURY_POSTGRES_APP_PASSWORD", "", "password of treasury_app"),
    ("DB_ROLE", "root", "app, or owner"),
    ("TREASURY_REDIS_URL", "", "is not set"),
    ("TREASURY_REDIS_URL", "amqp://broker", "redis://:password@host:port/database"),
    ("TREASURY_REDIS_URL", "redis://valkey:6379/0", "has no password"),
    ("TREASURY_REDIS_URL", "redis://:p@cache.example.com:6379/0", "rediss://"),
    ("TREASURY_REDIS_URL", "redis://:p@8.8.8.8:6379/0", "rediss://"),
    ("TREASURY_STORAGE", "disk", "folder or s3"),
    ("TREASURY_STORAGE_PATH", "", "outlives the machine"),
    ("TREASURY_STORAGE_BUCKET", "files", "TREASURY_STORAGE=s3"),
    ("TREASURY_RATES_CBK_URL", "http://www.centralbank.example.com/rates", "in clear"),
    ("TREASURY_SENTRY_DSN", "http://key@errors.example.com/1", "in clear"),
    ("TREASURY_SENTRY_DSN", "errors", "must be an https:// address"),
    ("TREASURY_TRUSTED_PROXIES", "0", "number of proxies"),
    ("TREASURY_TRUSTED_PROXIES", "-1", "not a whole number"),
    ("TREASURY_TRUSTED_PROXIES", "99", "number of proxies"),
    ("TREASURY_LIMIT_MONEY", "0", "production has limits"),
    ("TREASURY_UPLOAD_MEGABYTES", "10", "must be 11 to 200"),
    ("TREASURY_UPLOAD_MEGABYTES", "201", "must be 11 to 200"),
    ("TREASURY_HTTP_PORT", "http", "not a whole number"),
    ("TREASURY_WEB_PROCESSES", "many", "not a whole number"),
]
SAFE_TOO = [
    {"TREASURY_POSTGRES_URL": "postgresql://db.example.com/treasury?sslmode=verify-full"},
    {},
    {"TREASURY_DEBUG": "0"},
    {"TREASURY_REDIS_URL": "redis://127.0.0.1:6379/0"},
    {"TREASURY_REDIS_URL": "redis://:p@10.0.0.7:6379/0"},
    {"TREASURY_REDIS_URL": "redis://:p@valkey.treasury.svc:6379/0"},
    {"TREASURY_REDIS_URL": "rediss://:p@cache.example.com:6379/0"},
    {
        "TREASURY_POSTGRES_URL": "postgresql://treasury_app:p@db/treasury",
        "TREASURY_POSTGRES_APP_PASSWORD": "",
    },
    {"TREASURY_PUBLIC_URL": "https://api.treasury.example.com:8443"},
    {
        "TREASURY_STORAGE": "s3",
        "TREASURY_STORAGE_PATH": "",
        "TREASURY_STORAGE_BUCKET": "treasury-files",
        "TREASURY_STORAGE_ENDPOINT_URL": "http://storage:8333",
        "TREASURY_STORAGE_ACCESS_KEY": "treasury",
        "TREASURY_STORAGE_SECRET_KEY": "Vb7nQx2LpZ",
        "TREASURY_STORAGE_LINK_URL": "https://files.example.com",
    },
]


def told(errors: str) -> dict[str, str]:
    """Read the faults that a refusal lists, by variable."""
    lines = errors.partition("does not start with these settings:\n")[2].splitlines()
    return dict(line.strip().split(": ", 1) for line in lines)


@pytest.mark.parametrize(
    ("variable", "value", "remedy"), UNSAFE, ids=[f"{name}={value}" for name, value, _ in UNSAFE]
)
def test_by_name_with_the_remedy(start, variable, value, remedy):
    found = told(start(**{variable: value}))

    others = {"TREASURY_PUBLIC_URL"} if unserved(variable, value) else set()
    assert set(found) == {variable, *others}
    assert remedy in found[variable]


def unserved(variable: str, value: str) -> bool:
    """Say whether taking hosts away also leaves the public address unserved."""
    return variable == "TREASURY_ALLOWED_HOSTS" and "*" not in value


@pytest.mark.parametrize("changes", SAFE_TOO, ids=str)
def test_not_the_safe_ones(start, changes):
    assert start(**changes) == ""


def test_all_at_once(start):
    found = told(start(**{name: "" for name in SAFE if name.startswith("TREASURY_")}))

    assert set(found) == {
        "TREASURY_POSTGRES_URL",
        "TREASURY_REDIS_URL",
        "TREASURY_SECRET_KEY",
        "TREASURY_MASTER_KEY",
        "TREASURY_ALLOWED_HOSTS",
        "TREASURY_PUBLIC_URL",
        "TREASURY_BASE_DOMAIN",
        "TREASURY_STORAGE_PATH",
        "TREASURY_TRUSTED_PROXIES",
    }


def test_the_owner_without_his_password(start):
    found = told(start(DB_ROLE="owner", TREASURY_POSTGRES_OWNER_PASSWORD=""))

    assert list(found) == ["TREASURY_POSTGRES_OWNER_PASSWORD"]


@pytest.mark.parametrize("changes", [{}, {"TREASURY_DEBUG": "1", "TREASURY_MASTER_KEY": ""}], ids=str)
def test_a_process_that_is_not_forked_says_the_same(start, changes):
    read = python("-c", "from django.conf import settings; settings.DEBUG", changes=changes)

    forked = start(**changes)
    assert (read.stdout, told(read.stderr), bool(read.stderr)) == ("", told(forked), bool(changes))
    assert bool(forked) == bool(changes)


def test_never_shows_what_is_secret(start):
    refused = start(TREASURY_DEBUG="1", TREASURY_MASTER_KEY="c2hvcnQ=")

    assert "c2hvcnQ=" not in refused
    assert SAFE["TREASURY_SECRET_KEY"] not in refused


def test_nothing_is_left_for_django_to_warn_of():
    checked = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", changes={})

    assert checked.returncode == 0, checked.stderr
    assert "(0 silenced)" in checked.stdout or "(1 silenced)" in checked.stdout
