"""A real server that speaks S3, started as compose.yaml starts it, and what the tests see behind the product's back."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from script.devkit import environment, ports, system
from tests.deploy import compose

ACCESS_KEY, SECRET_KEY = "treasury-tests", "treasury-tests-secret"
BUCKET, PLAIN_BUCKET = "treasury-files", "plain-files"
READY = "ready"
LOCK_DAYS = 30
START_SECONDS = 60
MEND = "on Linux it comes with requirements/dev.txt; on macOS: brew install seaweedfs"
ROLES = ("master", "volume", "filer")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


@dataclass
class ObjectStorage:
    """The server: one bucket with versions and object lock, one with neither."""

    folder: Path
    port: int
    others: dict[str, int]
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def client(self) -> Any:
        """The operator's own client, beside the product."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}, connect_timeout=2, read_timeout=10),
        )

    def start(self) -> None:
        """Start it over the data that it has, and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env={**environment.base(), "HOME": str(self.folder), **CREDENTIALS},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=system.dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 (a few system calls)
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def make_buckets(self) -> None:
        self.client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        self.client.create_bucket(Bucket=PLAIN_BUCKET)
        self.client.put_object(Bucket=PLAIN_BUCKET, Key=READY, Body=READY.encode())

    def _answers(self) -> bool:
        """Whether buckets are listed and files are read: the port is open a while before."""
        try:
            known = [bucket["Name"] for bucket in self.client.list_buckets()["Buckets"]]
            return PLAIN_BUCKET not in known or bool(
                self.client.get_object(Bucket=PLAIN_BUCKET, Key=READY)["Body"].read()
            )
        except (BotoCoreError, ClientError):
            return False

    def _command(self) -> list[str]:
        """Compose's own command; of a flag that is given twice, the last one counts."""
        binary = shutil.which("weed", path=environment.base()["PATH"])
        assert binary, f"weed, the S3 server of the tests, is not installed: {MEND}"
        places = [
            part
            for role in ROLES
            for part in (
                f"-{role}.port={self.others[role]}",
                f"-{role}.port.grpc={self.others[f'{role}.grpc']}",
            )
        ]
        return [
            binary,
            *compose.services()["storage"]["command"],
            f"-dir={self.folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *places,
            "-master.electionTimeout=1s",
            "-volume.max=20",
            f"-filer.localSocket={self.folder / 'filer.sock'}",
            f"-s3.localSocket={self.folder / 's3.sock'}",
            f"-s3.port={self.port}",
            f"-s3.port.grpc={self.others['s3.grpc']}",
        ]


@contextmanager
def running(folder: Path) -> Iterator[ObjectStorage]:
    """Run a server with its buckets; it is gone after the block."""
    (folder / "data").mkdir()
    taken: set[int] = set()
    for _ in range(2 * len(ROLES) + 2):
        taken.add(ports.choose(taken=taken))
    port, s3_grpc, *rest = taken
    names = [name for role in ROLES for name in (role, f"{role}.grpc")]
    server = ObjectStorage(folder, port, {"s3.grpc": s3_grpc, **dict(zip(names, rest, strict=True))})
    server.start()
    try:
        server.make_buckets()
        yield server
    finally:
        server.kill()


def storages(
    url: str, *, prefix: str, bucket: str = BUCKET, lock_days: int = LOCK_DAYS, **options: Any
) -> dict[str, Any]:
    """Return Django's setting for files below a prefix of a bucket, as treasury/settings/storage.py makes it."""
    shared = {
        "bucket_name": bucket,
        "endpoint_url": url,
        "region_name": "us-east-1",
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        **options,
    }
    documents = {**shared, "location": f"{prefix}/documents", "lock_days": lock_days}
    results = {**shared, "location": f"{prefix}/results", "link_url": url}
    backend = "apps.kit.bucket_storage.BucketStorage"
    return {
        **settings.STORAGES,
        "documents": {"BACKEND": backend, "OPTIONS": documents},
        "results": {"BACKEND": backend, "OPTIONS": results},
    }


@dataclass(frozen=True)
class BehindBucket:
    """Documents and results of one test in the bucket, behind the product's back."""

    server: ObjectStorage
    prefix: str

    def write(self, key: str, content: bytes) -> None:
        self.server.client.put_object(Bucket=BUCKET, Key=self.name(key), Body=content)

    def delete(self, key: str) -> None:
        self.server.client.delete_object(Bucket=BUCKET, Key=self.name(key))

    def name(self, key: str, place: str = "documents") -> str:
        return f"{self.prefix}/{place}/{key}"

    def versions(self, key: str = "", place: str = "documents") -> list[dict[str, Any]]:
        """Every version of the files whose key begins so, newest first, delete markers too."""
        found = self.server.client.list_object_versions(Bucket=BUCKET, Prefix=self.name(key, place))
        return [*found.get("Versions", []), *found.get("DeleteMarkers", [])]


@dataclass(frozen=True)
class Away:
    """When the storage does not answer."""

    begin: Callable[[], None]
    end: Callable[[], None]


@dataclass(frozen=True)
class BehindFolder:
    """Documents and results of one test in a folder."""

    folder: Path

    def write(self, key: str, content: bytes) -> None:
        (self.folder / key).write_bytes(content)

    def delete(self, key: str) -> None:
        (self.folder / key).unlink()
