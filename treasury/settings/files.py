"""Where files are kept, from the environment: a folder or a bucket, and what of it cannot be meant."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from treasury.settings import env

PREFIX = re.compile(r"(?:[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*)?")
ADDRESSES = ("TREASURY_STORAGE_ENDPOINT_URL", "TREASURY_STORAGE_LINK_URL")
OF_BUCKET = (
    "TREASURY_STORAGE_BUCKET",
    "TREASURY_STORAGE_ACCESS_KEY",
    "TREASURY_STORAGE_SECRET_KEY",
    "TREASURY_STORAGE_PREFIX",
    *ADDRESSES,
)


def places() -> dict[str, Any]:
    """Return Django's storages of documents and of results; raise SettingMissing for what cannot be meant."""
    for name, remedy in faults():
        raise env.SettingMissing(f"{name} {remedy}")
    return _folder() if env.text("TREASURY_STORAGE") == "folder" else _bucket()


def faults() -> Iterator[tuple[str, str]]:
    """Yield each variable that cannot be meant, with what to set."""
    match env.text("TREASURY_STORAGE"):
        case "folder":
            for name in OF_BUCKET:
                if env.text(name):
                    yield name, "is of a bucket, but TREASURY_STORAGE is folder; set TREASURY_STORAGE=s3."
        case "s3":
            yield from _faults_of_bucket()
        case _:
            yield "TREASURY_STORAGE", "is folder or s3."


def faults_in_production() -> Iterator[tuple[str, str]]:
    """Yield each variable that works, and that production must not run with."""
    if env.text("TREASURY_STORAGE") == "s3":
        if not env.text("TREASURY_STORAGE_LOCK_DAYS").strip("0"):
            yield (
                "TREASURY_STORAGE_LOCK_DAYS",
                "locks no document; set the days for which nobody can delete one.",
            )
        if env.text("TREASURY_STORAGE_LINK_URL").lower().startswith("http:"):
            yield "TREASURY_STORAGE_LINK_URL", "hands out files in clear; it must be an https:// address."
    elif env.text("TREASURY_STORAGE_PATH") == env.VARIABLES["TREASURY_STORAGE_PATH"].default:
        yield (
            "TREASURY_STORAGE_PATH",
            "is not set; name a folder that outlives the machine, or set TREASURY_STORAGE=s3.",
        )


def _faults_of_bucket() -> Iterator[tuple[str, str]]:
    if not env.text("TREASURY_STORAGE_BUCKET"):
        yield "TREASURY_STORAGE_BUCKET", "is not set; name the bucket."
    pair = {name: env.text(name) for name in ("TREASURY_STORAGE_ACCESS_KEY", "TREASURY_STORAGE_SECRET_KEY")}
    if any(pair.values()):
        yield from (
            (name, "is not set, but the other of the two keys is.") for name in pair if not pair[name]
        )
    if not env.text("TREASURY_STORAGE_LOCK_DAYS").isdecimal():
        yield "TREASURY_STORAGE_LOCK_DAYS", "is not a whole number of days."
    if not PREFIX.fullmatch(env.text("TREASURY_STORAGE_PREFIX")):
        yield "TREASURY_STORAGE_PREFIX", "is a folder as treasury/live, without a slash at its ends."
    for name in ADDRESSES:
        if not _is_plain(env.text(name)):
            yield name, "is an address as https://s3.example.com, without a path."


def _is_plain(address: str) -> bool:
    if not address:
        return True
    try:
        parts = urlsplit(address.rstrip("/"))
        _ = parts.port
    except ValueError:
        return False
    rest = (parts.username, parts.password, parts.path, parts.query, parts.fragment)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(rest)


def _folder() -> dict[str, Any]:
    options = {"location": env.text("TREASURY_STORAGE_PATH"), "base_url": None}
    place = {"BACKEND": "apps.kit.folder_storage.FolderStorage", "OPTIONS": options}
    return {"documents": place, "results": place}


def _bucket() -> dict[str, Any]:
    prefix = f"{env.text('TREASURY_STORAGE_PREFIX')}/".lstrip("/")
    options = {
        "bucket_name": env.text("TREASURY_STORAGE_BUCKET"),
        "endpoint_url": env.text("TREASURY_STORAGE_ENDPOINT_URL").rstrip("/") or None,
        "region_name": env.text("TREASURY_STORAGE_REGION"),
        "access_key": env.text("TREASURY_STORAGE_ACCESS_KEY") or None,
        "secret_key": env.text("TREASURY_STORAGE_SECRET_KEY") or None,
    }
    documents = {"location": f"{prefix}documents", "lock_days": env.number("TREASURY_STORAGE_LOCK_DAYS")}
    results = {
        "location": f"{prefix}results",
        "link_url": env.text("TREASURY_STORAGE_LINK_URL").rstrip("/"),
    }
    backend = "apps.kit.bucket_storage.BucketStorage"
    return {
        "documents": {"BACKEND": backend, "OPTIONS": {**options, **documents}},
        "results": {"BACKEND": backend, "OPTIONS": {**options, **results}},
    }
