"""Bodies of the jobs API. What goes out is the snapshot that events carry, with the result; the fields here describe it."""

from typing import Any

from rest_framework import serializers

from apps.jobs import events
from apps.jobs.contracts import SOURCES, FileFormat, JobStatus, NewExport
from apps.jobs.models import Job
from apps.kit.serializers import IdField, InstantField, MoneyField, StrictSerializer

SEARCH_LENGTH = 100


class ExportIn(StrictSerializer):
    """Which list to export, what of it, and as what."""

    source = serializers.CharField(
        max_length=40,
        help_text="approvals, parties, payments, receipts, refunds, suspense or suspended_payments.",
    )  # type: ignore[assignment]
    format = serializers.ChoiceField(choices=[name.lower() for name in FileFormat], default="csv")
    with_bom = serializers.BooleanField(
        default=False, help_text="Begin a CSV file with the mark that older Excel needs to read UTF-8."
    )
    branch_id = IdField("br", required=False, allow_null=True, default=None)
    from_date = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="First day, in the organisation's zone."
    )
    to_date = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Last day, itself included."
    )
    search = serializers.CharField(max_length=SEARCH_LENGTH, required=False, allow_blank=True, default="")
    filters = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=40), allow_empty=False),
        required=False,
        default=dict,
        help_text='Named values, as {"status": ["succeeded", "failed"]}.',
    )

    def wanted(self) -> NewExport:
        """Return the request that the body is."""
        body = self.validated_data
        return NewExport(
            source=body["source"],
            file_format=FileFormat(body["format"].upper()),
            with_bom=body["with_bom"],
            branch_id=body["branch_id"],
            from_date=body["from_date"],
            to_date=body["to_date"],
            search=body["search"],
            choices={
                name: tuple(_stored(body["source"], name, value) for value in values)
                for name, values in body["filters"].items()
            },
        )


def _stored(source: str, choice: str, value: str) -> str:
    """Return a value of a list's filter as the list holds it; one that the list does not have stays for the service."""
    choices = SOURCES[source].choices if source in SOURCES else ()
    known = {held.lower(): held for one in choices if one.name == choice for held in one.words()}
    return known.get(value.lower(), value)


class ProgressOut(serializers.Serializer):
    done = serializers.IntegerField(help_text="How many are through, those that failed included.")
    failed = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True, help_text="Null while it is not known.")


class TotalOut(serializers.Serializer):
    column = serializers.CharField()
    total = MoneyField()


class ResultOut(serializers.Serializer):
    """The file that a job made; at ``/jobs/{id}/result`` until it expires."""

    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField(help_text="Hex SHA-256 over the bytes of the file.")
    rows = serializers.IntegerField(
        allow_null=True, help_text="How many rows the file holds, where it holds rows."
    )
    control_totals = TotalOut(many=True, help_text="The sum of each money column, by currency.")
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
                "rows": job.result_rows,
                "control_totals": [{"column": column, "total": money} for column, money in job.totals],
                "expires_at": job.expires_at,
            }
        ).data
    )
