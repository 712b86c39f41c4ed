"""The record of calls: every exchange with a provider becomes one row, without its secrets."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, transaction

from apps.integrations.contracts import CallStatus
from apps.integrations.models import ProviderCall
from apps.integrations.models.redaction import masked, readable, without_secrets
from apps.integrations.services.gates import Gate
from apps.kit import http, logs, schema
from apps.kit.compiled import Inserted

LONGEST_PROBLEM = 300
LONGEST_URL = 500

_KEPT = Inserted[ProviderCall]()

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class RecordedTransport:
    """
    Sends for one account and subject and writes each exchange down, whatever became of it.

    ``send`` raises RuntimeError inside a transaction, before anything leaves: an answer must not be lost to a rollback.
    It raises ProviderHeldBack for what the account's gate keeps back; of that there is no row. Where the row cannot
    be written the exchange goes on, because its answer is worth more than its record; the loss is logged.
    """

    client: http.Client
    gate: Gate
    account_id: UUID
    subject_id: UUID | None
    now: datetime
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def send(
        self, *, kind: str, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> http.Answer:
        with transaction.atomic(durable=True):
            pass  # refuses to stand inside another transaction; sends nothing to the database
        self.gate.admit(kind)
        call = ProviderCall(
            account_id=self.account_id,
            kind=kind,
            subject_id=self.subject_id,
            method=method,
            url=masked(url, secrets=self.secrets)[:LONGEST_URL],
            request_headers=without_secrets(headers),
            request_body=readable(content, secrets=self.secrets),
            called_at=self.now,
        )
        schema.rest()
        started = time.monotonic()
        try:
            answer = self.client.send(method, url, headers=headers, content=content)
        except http.NotSent as error:
            self.gate.note(kind, None, seconds=time.monotonic() - started)
            self._keep(call, CallStatus.NOT_SENT, started, error)
            raise
        except http.NoAnswer as error:
            self.gate.note(kind, None, seconds=time.monotonic() - started)
            self._keep(call, CallStatus.NO_ANSWER, started, error)
            raise
        self.gate.note(kind, answer, seconds=time.monotonic() - started)
        call.response_status = answer.status
        call.response_body = readable(answer.body, secrets=self.secrets)
        call.address = answer.address
        self._keep(call, CallStatus.ANSWERED, started)
        return answer

    def _keep(
        self,
        call: ProviderCall,
        status: CallStatus,
        started: float,
        error: http.NotSent | http.NoAnswer | None = None,
    ) -> None:
        call.status = status
        call.elapsed_ms = round((time.monotonic() - started) * 1000)
        if error is not None:
            text = masked(f"{error.kind}: {error}", secrets=self.secrets)
            call.problem = text.replace("\x00", "")[:LONGEST_PROBLEM]
        try:
            with transaction.atomic():
                _KEPT.insert(call)
        except DatabaseError:
            log.exception(
                "provider_call_not_recorded",
                kind=call.kind,
                subject_id=str(call.subject_id),
                status=str(status),
                response_status=call.response_status,
            )
