"""Every environment variable that the product reads, with its default and meaning; docs/configuration.md follows it."""

import os
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
HTTP_PORT_LOCAL = 4001


class SettingMissing(RuntimeError):
    """A variable that has no default is not set, or its value cannot be used."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: default None means that it must be set."""

    name: str
    default: str | None
    meaning: str


OF_POSTGRES_URL = ("sslmode", "sslrootcert")
"""What may follow in TREASURY_POSTGRES_URL; production refuses anything else, which would be dropped."""

VARIABLES = {
    v.name: v
    for v in (
        Variable(
            "TREASURY_POSTGRES_URL",
            None,
            "PostgreSQL: postgresql://host:port/database; user and password only where no role password is set; "
            "`?sslmode=` and `&sslrootcert=` may follow.",
        ),
        Variable(
            "TREASURY_POSTGRES_OWNER_PASSWORD",
            "",
            "Password of the role treasury_owner, used by the migrate job and the worker `owner` (DB_ROLE=owner).",
        ),
        Variable(
            "TREASURY_POSTGRES_APP_PASSWORD",
            "",
            "Password of the role treasury_app, used by web, workers and beat.",
        ),
        Variable(
            "DB_ROLE",
            "app",
            "Which database role this process uses: app, or owner for migrations and provisioning.",
        ),
        Variable(
            "TREASURY_REDIS_URL",
            None,
            "Valkey or Redis: redis://:password@host:port/database; broker and cache.",
        ),
        Variable("TREASURY_SECRET_KEY", None, "Django's secret key: sessions, cursors."),
        Variable(
            "TREASURY_MASTER_KEY",
            None,
            "Base64 of 32 bytes; wraps the data key of each organisation and keys the digests of API keys.",
        ),
        Variable(
            "TREASURY_HTTP_HOST",
            "127.0.0.1",
            "Address that the web process listens at; 0.0.0.0 in the image.",
        ),
        Variable("TREASURY_HTTP_PORT", str(HTTP_PORT_LOCAL), "Port of the web process; 4000 in the image."),
        Variable(
            "TREASURY_WEB_PROCESSES", "2", "How many processes share the web's port, of 4 threads each."
        ),
        Variable(
            "TREASURY_STOP_SECONDS",
            "5",
            "Seconds that requests may still take when the web process is told to stop; 30 in the image.",
        ),
        Variable(
            "TREASURY_HEARTBEAT_PATH",
            "",
            "File that a worker or beat touches as a sign of life; in the image `/tmp/heartbeat`.",
        ),
        Variable(
            "TREASURY_PUBLIC_URL",
            "",
            "Where browsers, providers and the sandbox inbox reach us; default http://127.0.0.1:<port>.",
        ),
        Variable(
            "TREASURY_ALLOWED_HOSTS",
            "",
            "Host names served, comma separated; local: localhost and its subdomains.",
        ),
        Variable(
            "TREASURY_BASE_DOMAIN",
            "localhost",
            "Organisations are served at <slug>.<base domain>.",
        ),
        Variable(
            "TREASURY_ONBOARDING_OPEN",
            "",
            "`true`: whatever application registers is accepted, for tests; else the platform's staff accepts each. "
            "Refused in production.",
        ),
        Variable(
            "TREASURY_SIMULATOR_URL",
            "",
            "Base address of the provider simulator; the only loopback address that providers may have.",
        ),
        Variable(
            "TREASURY_WEBHOOK_LOOPBACK",
            "",
            "Address on this machine, http://127.0.0.1:5000/ for example, below which webhooks of test organisations "
            "may go: for developers. Refused in production.",
        ),
        Variable(
            "TREASURY_RATES_ECB_URL",
            "",
            "Where the European Central Bank's daily XML of euro rates is read, "
            "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml; empty: not asked.",
        ),
        Variable(
            "TREASURY_RATES_CBK_URL",
            "",
            "Where the Central Bank of Kenya's indicative rates are read as CSV; empty: not asked.",
        ),
        Variable(
            "TREASURY_RATES_QUOTES_URL",
            "",
            "Where a provider's exchange rates are read as JSON; empty: not asked.",
        ),
        Variable(
            "TREASURY_STORAGE",
            "folder",
            "Where files are kept: folder (one machine), or s3 for a bucket that speaks S3.",
        ),
        Variable(
            "TREASURY_STORAGE_PATH",
            str(BASE_DIR / "var" / "storage"),
            "Folder for files when TREASURY_STORAGE is folder.",
        ),
        Variable("TREASURY_STORAGE_BUCKET", "", "Bucket for files when TREASURY_STORAGE is s3."),
        Variable(
            "TREASURY_STORAGE_ENDPOINT_URL",
            "",
            "Address of the S3 service as our processes reach it; empty for Amazon's in the region.",
        ),
        Variable("TREASURY_STORAGE_REGION", "us-east-1", "Region of the bucket."),
        Variable(
            "TREASURY_STORAGE_ACCESS_KEY",
            "",
            "Access key of the bucket; empty with the secret key: the role of the machine.",
        ),
        Variable("TREASURY_STORAGE_SECRET_KEY", "", "Secret key that belongs to the access key."),
        Variable("TREASURY_STORAGE_PREFIX", "", "Folder in the bucket under which everything lies."),
        Variable(
            "TREASURY_STORAGE_LOCK_DAYS",
            "2557",
            "Days for which a document in the bucket can be deleted by nobody; 0 locks none, which production refuses.",
        ),
        Variable(
            "TREASURY_STORAGE_LINK_URL",
            "",
            "Address of the S3 service as browsers reach it; long exports are then handed out by links of 60 seconds, else through us.",
        ),
        Variable(
            "TREASURY_FAULT_PATH", "", "Folder that arms named fault points (tests); refused in production."
        ),
        Variable(
            "TREASURY_POLL_PLAN",
            "25,35,45,55,65,75,85,120,300,900",
            "Seconds after sending at which a payment attempt without an answer is queried.",
        ),
        Variable(
            "TREASURY_SENDING_TIMEOUT",
            "60",
            "Seconds after which an attempt that was being sent and never recorded becomes UNKNOWN.",
        ),
        Variable(
            "TREASURY_WAIT_SECONDS",
            "10",
            "Seconds that an answer of the API waits at most where `Prefer: wait` asks for it; 0: none waits.",
        ),
        Variable(
            "TREASURY_WAITING_REQUESTS",
            "2",
            "How many requests of a web process may wait so at once, or for a provider that an account test or a pay page asks, each in one of its 4 threads; the others are answered at once.",
        ),
        Variable("TREASURY_WEBHOOK_TIMEOUT", "20", "Seconds that a webhook endpoint may take to answer."),
        Variable(
            "TREASURY_UPLOAD_MEGABYTES",
            "25",
            "What a person's form may have with all of its files, 11 at least: a paper may have 10. Every other request has 1 MiB.",
        ),
        Variable(
            "TREASURY_LIMIT_KEY",
            "100",
            "Requests a second that one API key of a live organisation may make, four seconds of it at once; 0: no limit.",
        ),
        Variable(
            "TREASURY_LIMIT_TEST_KEY",
            "25",
            "The same for a key of a test organisation.",
        ),
        Variable(
            "TREASURY_LIMIT_MONEY",
            "25",
            "The same for requests that move money or make documents, which count in both.",
        ),
        Variable(
            "TREASURY_LIMIT_ORGANISATION",
            "400",
            "The same for all keys of an organisation together.",
        ),
        Variable(
            "TREASURY_LIMIT_STRANGERS",
            "60",
            "Requests a minute without a valid credential that one address may make; 0: no limit.",
        ),
        Variable(
            "TREASURY_LIMIT_SIGN_INS",
            "30",
            "Passwords a minute that may be tried from one address, whatever the e-mails; 0: no limit.",
        ),
        Variable(
            "TREASURY_TRUSTED_PROXIES",
            "0",
            "How many reverse proxies stand in front; the address in X-Forwarded-For is read that many hops from the right.",
        ),
        Variable("TREASURY_LOG_LEVEL", "INFO", "Lowest level that is logged."),
        Variable(
            "TREASURY_SENTRY_DSN",
            "",
            "Where errors are reported to; empty reports nothing. The logs have them too.",
        ),
        Variable("TREASURY_OPERATOR", "", "Who works with bin/treasury, where --as does not say it."),
        Variable("TREASURY_ENVIRONMENT", "production", "Under which name errors are reported."),
        Variable(
            "TREASURY_VERSION", "0.1.0", "Version that /version and error reports show; set by the build."
        ),
    )
}


def stand_in() -> None:
    """Give each variable that must be set and is not a value that means nothing: for building, where nothing is reached."""
    for variable in VARIABLES.values():
        if variable.default is None:
            os.environ.setdefault(variable.name, "nothing")


def text(name: str) -> str:
    """Return a variable, its default, or raise SettingMissing naming it."""
    variable = VARIABLES[name]
    value = os.environ.get(name) or variable.default
    if value is None:
        raise SettingMissing(
            f"{name} is not set. {variable.meaning} Start with script/server, which sets it."
        )
    return value


def number(name: str) -> int:
    try:
        return int(text(name))
    except ValueError:
        raise SettingMissing(f"{name} is not a whole number.") from None


def items(name: str) -> list[str]:
    return [item.strip() for item in text(name).split(",") if item.strip()]
