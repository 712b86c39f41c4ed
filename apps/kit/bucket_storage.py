"""Files in a bucket that speaks S3: what django-storages leaves open. Imported only where settings name it."""

import hashlib
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile
from s3transfer.exceptions import RetriesExceededError
from storages.backends.s3 import S3Storage

from apps.kit import ids
from apps.kit.storage import CHANGED, Content, FileDamaged, Stored

CONNECT_SECONDS = 3
READ_SECONDS = 10
ATTEMPTS = 3
LINK_SECONDS = 60
LINKED_FROM = 8 * 1024 * 1024
"""Shorter results go through us, checksum and all; what is longer would hold a thread of ours for minutes."""
MEMORY_BYTES = 4 * 1024 * 1024
PROBE = "check"
NO_LOCK = {"ObjectLockConfigurationNotFoundError", "NotImplemented", "NoSuchObjectLockConfiguration"}


class BucketStorage(S3Storage):
    """
    One folder of a bucket. With ``lock_days`` each file is locked in mode COMPLIANCE: nobody can delete that version or
    shorten its time, the root of the account included. With ``link_url``, the address at which browsers reach the bucket,
    long files are handed out by a link.
    """

    outages: ClassVar = (BotoCoreError, ClientError, Boto3Error, RetriesExceededError, OSError)

    def __init__(self, **options: Any) -> None:
        style = "path" if options.get("endpoint_url") else "auto"
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": style},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        fixed = {
            "client_config": config,
            "transfer_config": TransferConfig(use_threads=False),
            "file_overwrite": False,
            "max_memory_size": MEMORY_BYTES,
        }
        super().__init__(**{**fixed, **options})

    def get_default_settings(self) -> dict[str, Any]:
        return {**super().get_default_settings(), "lock_days": 0, "link_url": ""}

    def _get_write_parameters(self, name: str, content: Any = None) -> dict[str, Any]:
        given = super()._get_write_parameters(name, content)
        given["Metadata"] = {"sha256": content.sha256}
        if self.lock_days:
            given["ObjectLockMode"] = "COMPLIANCE"
            given["ObjectLockRetainUntilDate"] = content.stored_at + timedelta(days=self.lock_days)
        return given

    def erase(self, folder: str) -> int:
        found = self.bucket.object_versions.filter(Prefix=f"{self._normalize_name(folder)}/")
        names = {version.object_key for version in found}
        for answer in found.delete():
            for error in answer.get("Errors", ()):
                raise ClientError({"Error": error}, "DeleteObjects")
        return len(names)

    def names(self, folder: str) -> list[str]:
        """Return the names of the files of a folder, those included that somebody has hidden by deleting them."""
        found = self.bucket.object_versions.filter(Prefix=f"{self._normalize_name(folder)}/")
        return sorted({version.object_key.rpartition("/")[2] for version in found})

    def link(self, key: str, stored: Stored, *, name: str, content_type: str) -> str:
        if not self.link_url or stored.size < LINKED_FROM:
            return ""
        version = self._version(key, stored)
        wanted = {
            "Bucket": self.bucket_name,
            "Key": self._normalize_name(key),
            "ResponseContentDisposition": f'attachment; filename="{name}"',
            "ResponseContentType": content_type,
            **({"VersionId": version} if version else {}),
        }
        address: str = self._signer.generate_presigned_url(
            "get_object", Params=wanted, ExpiresIn=LINK_SECONDS
        )
        return address

    def problems(self) -> list[str]:
        try:
            return [*self._problems_of_bucket(), *([] if self.lock_days else self._problems_of_probe())]
        except self.outages as error:
            return [f"The bucket {self.bucket_name} does not take what was asked of it: {error}"]

    def _problems_of_bucket(self) -> list[str]:
        found = []
        client = self.connection.meta.client
        if client.get_bucket_versioning(Bucket=self.bucket_name).get("Status") != "Enabled":
            found.append(
                f"The bucket {self.bucket_name} keeps no versions: an overwritten file would be lost. Turn versioning on."
            )
        lock = self._lock()
        if self.lock_days and lock.get("ObjectLockEnabled") != "Enabled":
            found.append(
                f"The bucket {self.bucket_name} has no object lock, so documents cannot be locked for {self.lock_days} days. "
                "Make a bucket with object lock."
            )
        if "Rule" in lock:
            found.append(
                f"The bucket {self.bucket_name} locks every file by default, results of jobs too, which must be deleted after "
                "their time. Take the default retention away; documents are locked one by one."
            )
        return found

    def _lock(self) -> dict[str, Any]:
        """Return what the bucket says of object lock; nothing where it knows none."""
        try:
            answer = self.connection.meta.client.get_object_lock_configuration(Bucket=self.bucket_name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_LOCK:
                raise
            return {}
        configuration: dict[str, Any] = answer["ObjectLockConfiguration"]
        return configuration

    def _problems_of_probe(self) -> list[str]:
        """Write, read and delete a small file where nothing is locked."""
        folder = f"{PROBE}/{ids.token(8)}"
        content = Content(
            ContentFile(PROBE.encode()),
            sha256=hashlib.sha256(PROBE.encode()).hexdigest(),
            content_type="text/plain",
        )
        key = self.save(f"{folder}/{PROBE}", content)
        with self.open(key) as file:
            is_same = file.read() == PROBE.encode()
        self.erase(folder)
        return [] if is_same else [f"The bucket {self.bucket_name} gives back other bytes than it was given."]

    def _version(self, key: str, stored: Stored) -> str:
        """Return which version of a key bears the checksum that we know; "" in a bucket without versions."""
        try:
            kept = self.connection.meta.client.head_object(
                Bucket=self.bucket_name, Key=self._normalize_name(key)
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                raise FileNotFoundError(key) from None
            raise
        if (kept["Metadata"].get("sha256"), kept["ContentLength"]) != (stored.sha256, stored.size):
            raise FileDamaged(CHANGED)
        version: str = kept.get("VersionId", "")
        return version

    @cached_property
    def _signer(self) -> Any:
        """A client that signs for the address at which browsers reach the bucket; it sends nothing."""
        return self._create_session().client(
            "s3", region_name=self.region_name, endpoint_url=self.link_url, config=self.client_config
        )
