"""Bodies of the jobs API. What goes out is the snapshot that events carry, with the result; the fields here describe it."""

from typing import Any

from rest_framework import serializers

from apps.jobs import events
from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.kit.serializers import InstantField


class ProgressOut(serializers.Serializer):
    done = serializers.IntegerField(help_text="How many are through, those that failed included.")
    failed = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True, help_text="Null while it is not known.")


class ResultOut(serializers.Serializer):
    """The file that a job made; at ``/jobs/{id}/result`` until it expires."""

    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField(help_text="Hex SHA-256 over the bytes of the file.")
    expires_at = InstantField()


class JobOut(serializers.Serializer):
    """Long work: ask again every few seconds, or listen to ``job_finished``."""

    id = serializers.CharField()
    object = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=[status.lower() for status in JobStatus])
    progress = ProgressOut()
    error = serializers.CharField(help_text="Why it failed, for people; empty otherwise.")
    branch_id = serializers.CharField()
    application_id = serializers.CharField()
    created_at = InstantField()
    started_at = InstantField(allow_null=True)
    finished_at = InstantField(allow_null=True)
    cancel_requested_at = InstantField(allow_null=True)
    result = ResultOut(allow_null=True)


def represent(job: Job) -> dict[str, Any]:
    """Return the body of one job: the snapshot of events, with its result."""
    return {**events.snapshot(job), "result": _result(job) if job.has_result else None}


def _result(job: Job) -> dict[str, Any]:
    return dict(
        ResultOut(
            {
                "name": job.result_name,
                "content_type": job.result_content_type,
                "size": job.result_size,
                "sha256": job.result_sha256,
                "expires_at": job.expires_at,
            }
        ).data
    )
