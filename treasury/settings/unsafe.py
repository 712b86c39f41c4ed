"""What production does not start with: each rule names a variable, what is wrong and what to set; all are told at once."""

import base64
import binascii
import ipaddress
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from treasury.settings import env, files

SECRET_KEY_LENGTH = 50
SECRET_KEY_LETTERS = 12
MASTER_KEY_BYTES = 32
MASTER_KEY_LETTERS = 8
MOST_PROXIES = 9
LEAST_UPLOAD, MOST_UPLOAD = 11, 200
EXAMPLES = ("django-insecure", "change", "example", "secret", "placeholder", "test")
LIMITS = tuple(name for name in env.VARIABLES if name.startswith("TREASURY_LIMIT_"))
NUMBERS = (
    "TREASURY_HTTP_PORT",
    "TREASURY_WEB_PROCESSES",
    "TREASURY_STOP_SECONDS",
    "TREASURY_SENDING_TIMEOUT",
    "TREASURY_WEBHOOK_TIMEOUT",
    "TREASURY_UPLOAD_MEGABYTES",
    "TREASURY_TRUSTED_PROXIES",
    *LIMITS,
)
DEBUG_SWITCHES = ("DEBUG", "DJANGO_DEBUG", "TREASURY_DEBUG")
FETCHED = (
    "TREASURY_RATES_CBK_URL",
    "TREASURY_RATES_ECB_URL",
    "TREASURY_RATES_QUOTES_URL",
    "TREASURY_SENTRY_DSN",
)
ENCRYPTED = ("require", "verify-ca", "verify-full")
OFF = ("", "0", "false", "no", "off")
PRIVATE_ENDINGS = (".svc", ".cluster.local", ".internal", ".local", ".localhost")


class SettingsUnsafe(env.SettingMissing):
    """Production was asked to start with settings that it must not run with; the text lists every one of them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One setting that is missing or unsafe."""

    variable: str
    remedy: str


def refuse() -> None:
    """Raise SettingsUnsafe with every fault there is, or return."""
    found = faults()
    if not found:
        return
    lines = "\n".join(f"  {fault.variable}: {fault.remedy}" for fault in found)
    raise SettingsUnsafe(f"production does not start with these settings:\n{lines}")


def faults() -> list[Fault]:
    """Return what is wrong with the environment of this process, a variable that is missing only once."""
    missing = [
        Fault(variable.name, f"is not set. {variable.meaning}")
        for variable in env.VARIABLES.values()
        if variable.default is None and not os.environ.get(variable.name)
    ]
    absent = {fault.variable for fault in missing}
    return missing + [fault for rule in RULES for fault in rule() if fault.variable not in absent]


def _value(name: str) -> str:
    return os.environ.get(name) or env.VARIABLES[name].default or ""


def _address(name: str) -> SplitResult | None:
    """Return an address in its parts, or nothing where it is none."""
    try:
        parts = urlsplit(_value(name))
        _ = parts.port
    except ValueError:
        return None
    return parts


def _debug() -> Iterator[Fault]:
    for name in DEBUG_SWITCHES:
        if os.environ.get(name, "").lower() not in OFF:
            yield Fault(name, "debugging shows settings and code to strangers; unset it.")


def _numbers() -> Iterator[Fault]:
    for name in NUMBERS:
        if not _value(name).isdecimal():
            yield Fault(name, "is not a whole number.")


def _secret_key() -> Iterator[Fault]:
    name, key = "TREASURY_SECRET_KEY", _value("TREASURY_SECRET_KEY")
    if len(key) < SECRET_KEY_LENGTH or len(set(key)) < SECRET_KEY_LETTERS:
        yield Fault(name, f"can be guessed; set {SECRET_KEY_LENGTH} or more random characters.")
    elif key.lower().startswith(EXAMPLES):
        yield Fault(name, "is an example; set random characters of your own.")


def _master_key() -> Iterator[Fault]:
    name, text = "TREASURY_MASTER_KEY", _value("TREASURY_MASTER_KEY")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        yield Fault(name, "must be the base64 of 32 random bytes: `openssl rand -base64 32`.")
    elif len(set(key)) < MASTER_KEY_LETTERS:
        yield Fault(name, "can be guessed; set the base64 of 32 random bytes: `openssl rand -base64 32`.")


def _hosts() -> Iterator[Fault]:
    name = "TREASURY_ALLOWED_HOSTS"
    hosts = [host.strip() for host in _value(name).split(",") if host.strip()]
    if not hosts:
        yield Fault(name, "is empty; name the hosts that are served, comma separated.")
    elif any(host in ("*", ".") for host in hosts):
        yield Fault(name, "lets every host in; name the hosts that are served.")
    elif any("/" in host or ":" in host for host in hosts):
        yield Fault(name, "takes host names alone, without https:// and without ports.")


def _public_url() -> Iterator[Fault]:
    name, url = "TREASURY_PUBLIC_URL", _address("TREASURY_PUBLIC_URL")
    if url is None or url.scheme != "https" or not url.hostname:
        yield Fault(name, "must be the https:// address where browsers and providers reach us.")
    elif _is_this_machine(url.hostname):
        yield Fault(name, "is an address of this machine, which no provider can reach; name the public host.")
    elif not _is_served(url.hostname):
        yield Fault(name, f"its host {url.hostname} is not served; add it to TREASURY_ALLOWED_HOSTS.")


def _is_served(host: str) -> bool:
    """Say whether ALLOWED_HOSTS lets a host in, as Django reads it."""
    served = [one.strip().lower() for one in _value("TREASURY_ALLOWED_HOSTS").split(",") if one.strip()]
    return any(one in ("*", host) or (one.startswith(".") and f".{host}".endswith(one)) for one in served)


def _base_domain() -> Iterator[Fault]:
    name = "TREASURY_BASE_DOMAIN"
    if _is_this_machine(_value(name)):
        yield Fault(name, "is this machine; name the domain below which organisations have their hosts.")


def _database() -> Iterator[Fault]:
    role, url = _value("DB_ROLE"), _address("TREASURY_POSTGRES_URL")
    if role not in ("app", "owner"):
        yield Fault("DB_ROLE", "is app, or owner for the migrate job.")
        return
    if url is None or url.scheme not in ("postgres", "postgresql") or not url.hostname:
        yield Fault("TREASURY_POSTGRES_URL", "must be postgresql://host:port/database.")
        return
    strange = [
        name for name, _ in parse_qsl(url.query, keep_blank_values=True) if name not in env.OF_POSTGRES_URL
    ]
    if strange:
        yield Fault(
            "TREASURY_POSTGRES_URL",
            f"takes {' and '.join(env.OF_POSTGRES_URL)} alone, not {', '.join(strange)}.",
        )
    elif _is_outside(url.hostname) and dict(parse_qsl(url.query)).get("sslmode") not in ENCRYPTED:
        yield Fault(
            "TREASURY_POSTGRES_URL",
            "crosses networks in clear; end it with ?sslmode=verify-full, with a host outside this network.",
        )
    name = f"TREASURY_POSTGRES_{role.upper()}_PASSWORD"
    if not (_value(name) or url.password):
        yield Fault(name, f"is empty; set the password of treasury_{role}.")


def _redis() -> Iterator[Fault]:
    name, url = "TREASURY_REDIS_URL", _address("TREASURY_REDIS_URL")
    if url is None or url.scheme not in ("redis", "rediss") or not url.hostname:
        yield Fault(name, "must be redis://:password@host:port/database, or rediss:// with TLS.")
        return
    if not url.password and not _is_this_machine(url.hostname):
        yield Fault(name, "has no password: whoever reaches that port could start any task.")
    if url.scheme == "redis" and _is_outside(url.hostname):
        yield Fault(name, "crosses networks in clear; use rediss:// with a host outside this network.")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_outside(host: str) -> bool:
    """Say whether a host lies outside the private network, as far as its name or address tells."""
    try:
        return not ipaddress.ip_address(host).is_private
    except ValueError:
        return "." in host and not host.endswith(PRIVATE_ENDINGS)


def _storage() -> Iterator[Fault]:
    yield from (Fault(*found) for found in (*files.faults(), *files.faults_in_production()))
    name, url = "TREASURY_STORAGE_ENDPOINT_URL", _address("TREASURY_STORAGE_ENDPOINT_URL")
    if url is not None and url.scheme == "http" and url.hostname and _is_outside(url.hostname):
        yield Fault(name, "crosses networks in clear; use https:// with a host outside this network.")


def _outgoing() -> Iterator[Fault]:
    """What we fetch and book by, and what we report of ourselves."""
    for name in FETCHED:
        url = _address(name)
        if _value(name) and (url is None or url.scheme not in ("http", "https") or not url.hostname):
            yield Fault(name, "must be an https:// address.")
        elif url is not None and url.scheme == "http" and _is_outside(url.hostname or ""):
            yield Fault(name, "crosses networks in clear; use https:// with a host outside this network.")


def _proxies() -> Iterator[Fault]:
    name, count = "TREASURY_TRUSTED_PROXIES", _value("TREASURY_TRUSTED_PROXIES")
    if count.isdecimal() and not 1 <= int(count) <= MOST_PROXIES:
        yield Fault(
            name,
            "must be the number of proxies in front, which end TLS: without it the proxy passes for the caller, "
            "and /metrics is open to everybody.",
        )


def _limits() -> Iterator[Fault]:
    for name in LIMITS:
        if _value(name).isdecimal() and int(_value(name)) == 0:
            yield Fault(name, "production has limits; set how many requests are allowed.")
    name, megabytes = "TREASURY_UPLOAD_MEGABYTES", _value("TREASURY_UPLOAD_MEGABYTES")
    if megabytes.isdecimal() and not LEAST_UPLOAD <= int(megabytes) <= MOST_UPLOAD:
        yield Fault(
            name, f"must be {LEAST_UPLOAD} to {MOST_UPLOAD}: a paper may have 10, and a form is read whole."
        )


def _faults_armed() -> Iterator[Fault]:
    if _value("TREASURY_FAULT_PATH"):
        yield Fault("TREASURY_FAULT_PATH", "arms faults for tests; unset it.")


def _simulator() -> Iterator[Fault]:
    if _value("TREASURY_SIMULATOR_URL"):
        yield Fault(
            "TREASURY_SIMULATOR_URL", "would let play money in, and calls to this machine out; unset it."
        )


def _webhooks() -> Iterator[Fault]:
    if _value("TREASURY_WEBHOOK_LOOPBACK"):
        yield Fault("TREASURY_WEBHOOK_LOOPBACK", "lets webhooks reach this machine; unset it.")


def _onboarding() -> Iterator[Fault]:
    if _value("TREASURY_ONBOARDING_OPEN").lower() not in OFF:
        yield Fault("TREASURY_ONBOARDING_OPEN", "accepts every application that registers, unseen; unset it.")


RULES: tuple[Callable[[], Iterator[Fault]], ...] = (
    _debug,
    _numbers,
    _limits,
    _secret_key,
    _master_key,
    _hosts,
    _public_url,
    _base_domain,
    _database,
    _redis,
    _storage,
    _outgoing,
    _proxies,
    _faults_armed,
    _simulator,
    _webhooks,
    _onboarding,
)
