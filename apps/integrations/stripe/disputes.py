"""Payments that a payer has his bank take back: read as they stand, answered with evidence, or given up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from io import BytesIO
from typing import Any

from apps.integrations.ports import (
    DisputeList,
    DisputeReport,
    DisputeStage,
    Evidence,
    EvidenceFile,
    ProviderUncertain,
)
from apps.integrations.stripe import answers, codes
from apps.integrations.stripe.client import StripeLine, key
from apps.kit.money import Money

STAGES = {
    "warning_needs_response": DisputeStage.INQUIRY,
    "warning_under_review": DisputeStage.UNDER_REVIEW,
    "warning_closed": DisputeStage.PREVENTED,
    "prevented": DisputeStage.PREVENTED,
    "needs_response": DisputeStage.NEEDS_RESPONSE,
    "appeal_needs_response": DisputeStage.NEEDS_RESPONSE,
    "under_review": DisputeStage.UNDER_REVIEW,
    "appeal_under_review": DisputeStage.UNDER_REVIEW,
    "won": DisputeStage.WON,
    "lost": DisputeStage.LOST,
}
REASONS = {
    "fraudulent": "fraudulent",
    "unrecognized": "unrecognized",
    "duplicate": "duplicate",
    "credit_not_processed": "credit_not_processed",
    "product_not_received": "not_received",
    "product_unacceptable": "not_as_described",
    "subscription_canceled": "subscription_cancelled",
    "noncompliant": "noncompliant",
    "insufficient_funds": "insufficient_funds",
    "debit_not_authorized": "not_authorised",
    "incorrect_account_details": "incorrect_account_details",
    "bank_cannot_process": "bank_cannot_process",
    "check_returned": "returned",
    "customer_initiated": "customer_initiated",
    "general": "general",
}
TEXTS = {
    "text": "uncategorized_text",
    "product": "product_description",
    "customer_name": "customer_name",
    "customer_email": "customer_email_address",
    "customer_ip": "customer_purchase_ip",
    "billing_address": "billing_address",
    "service_date": "service_date",
    "shipping_address": "shipping_address",
    "shipping_date": "shipping_date",
    "carrier": "shipping_carrier",
    "tracking_number": "shipping_tracking_number",
    "refund_policy": "refund_policy_disclosure",
    "refund_refusal": "refund_refusal_explanation",
    "duplicate_of": "duplicate_charge_id",
}
"""What each field of our evidence is called at Stripe."""
FILES = {
    "receipt": "receipt",
    "shipping": "shipping_documentation",
    "service": "service_documentation",
    "communication": "customer_communication",
    "signature": "customer_signature",
    "refund_policy": "refund_policy",
    "duplicate": "duplicate_charge_documentation",
}
OTHER_FILE = "uncategorized_file"
PAGE = 100


@dataclass(frozen=True, slots=True)
class Disputes:
    """The disputes of one account."""

    line: StripeLine

    def read(self, ticket: str) -> DisputeReport:
        return _report(
            self.line.call("dispute_query", lambda v1: v1.disputes.retrieve(ticket, {"expand": ["charge"]}))
        )

    def list(self, since: datetime) -> DisputeList:
        read: list[DisputeReport | None] = []
        params: dict[str, Any] = {
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
            "expand": ["data.charge"],
        }
        while True:
            page = self.line.call("dispute_list", partial(_list, params=dict(params)))
            rows = page.get("data")
            if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
                raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer is no list of disputes")
            read += [_readable(row) for row in rows]
            if not page.get("has_more") or not rows:
                found = tuple(report for report in reversed(read) if report is not None)
                return DisputeList(found, unreadable=len(read) - len(found))
            params["starting_after"] = rows[-1].get("id")

    def submit(self, ticket: str, evidence: Evidence, *, code: str) -> DisputeReport:
        given = {
            name: _text(getattr(evidence, ours)) for ours, name in TEXTS.items() if getattr(evidence, ours)
        }
        for number, file in enumerate(evidence.files, start=1):
            given[FILES.get(file.purpose, OTHER_FILE)] = self._upload(file, f"{code}:file:{number}")
        params = {"evidence": given, "submit": True, "expand": ["charge"]}
        options = key(code, "evidence")
        return _report(self.line.call("evidence", lambda v1: v1.disputes.update(ticket, params, options)))

    def accept(self, ticket: str, *, code: str) -> DisputeReport:
        params, options = {"expand": ["charge"]}, key(code, "accept")
        closed = self.line.call("dispute_accept", lambda v1: v1.disputes.close(ticket, params, options))
        return _report(closed)

    def _upload(self, file: EvidenceFile, name: str) -> str:
        content = BytesIO(file.content)
        content.name = file.name  # the SDK sends what can be read, by its name
        params = {"purpose": "dispute_evidence", "file": content}
        made = self.line.call("file", lambda v1: v1.files.create(params, {"idempotency_key": name}))
        found = answers.text(made.get("id"))
        if not found:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no file")
        return found


def _list(v1: Any, *, params: Mapping[str, Any]) -> Any:
    return v1.disputes.list(params)


def _text(value: str | date) -> str:
    return value if isinstance(value, str) else value.isoformat()


def _readable(dispute: Mapping[str, Any]) -> DisputeReport | None:
    try:
        return _report(dispute)
    except ProviderUncertain:
        return None


def _report(dispute: Mapping[str, Any]) -> DisputeReport:
    status, currency = answers.text(dispute.get("status")), dispute.get("currency")
    if status not in STAGES or not answers.text(dispute.get("id")):
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the dispute is in a state that is not known here")
    due = answers.part(dispute, "evidence_details")
    provider_reason = answers.text(dispute.get("reason"))
    withdrawn, reinstated, fee = _moved(dispute)
    return DisputeReport(
        ticket=answers.text(dispute.get("id")),
        payment_ticket=answers.handle(dispute.get("payment_intent")),
        receipt=answers.handle(dispute.get("charge")),
        stage=_stage(status, due),
        reason_code=REASONS.get(provider_reason, "general"),
        provider_reason=provider_reason,
        money=answers.money(dispute.get("amount"), currency),
        fee=fee,
        withdrawn=withdrawn,
        reinstated=reinstated,
        due_by=answers.instant(due.get("due_by")),
        outcome=status,
        opened_at=answers.instant(dispute.get("created")),
    )


def _stage(status: str, evidence: Mapping[str, Any]) -> DisputeStage:
    """Return the stage; one that was lost because nothing was said in time is called so."""
    if status == "lost" and evidence.get("past_due") and not evidence.get("submission_count"):
        return DisputeStage.EXPIRED
    return STAGES[status]


def _moved(dispute: Mapping[str, Any]) -> tuple[Money | None, Money | None, Money | None]:
    """Return what left our balance for a dispute, what came back, and what Stripe kept for it: None for nothing."""
    rows = dispute.get("balance_transactions") or []
    found = [
        (
            answers.money(row.get("amount"), row.get("currency")),
            answers.money(row.get("fee"), row.get("currency")),
        )
        for row in rows
        if isinstance(row, Mapping)
    ]
    out = [-amount for amount, _ in found if amount.minor < 0]
    back = [amount for amount, _ in found if amount.minor > 0]
    fees = [fee for _, fee in found if fee.minor]
    return _sum(out), _sum(back), _sum(fees)


def _sum(parts: list[Money]) -> Money | None:
    return sum(parts[1:], parts[0]) if parts else None
