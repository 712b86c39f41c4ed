"""Payments that a payer disputes at PayPal: read as they stand, answered with evidence, given up, or appealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from apps.integrations.paypal import answers, codes
from apps.integrations.paypal import evidence as papers
from apps.integrations.paypal.client import PaypalLine
from apps.integrations.ports import (
    DisputeList,
    DisputeReport,
    DisputeStage,
    Evidence,
    ProviderError,
    ProviderUnavailable,
    ProviderUncertain,
)
from apps.kit.money import CurrencyMismatch, Money

PATH = "/v1/customer/disputes"
PAGE = 50
PAGES_AT_MOST = 100
REASONS = {
    "MERCHANDISE_OR_SERVICE_NOT_RECEIVED": "not_received",
    "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED": "not_as_described",
    "UNAUTHORISED": "fraudulent",
    "CREDIT_NOT_PROCESSED": "credit_not_processed",
    "DUPLICATE_TRANSACTION": "duplicate",
    "INCORRECT_AMOUNT": "incorrect_amount",
    "PAYMENT_BY_OTHER_MEANS": "paid_otherwise",
    "CANCELED_RECURRING_BILLING": "subscription_cancelled",
}
WAITING = {
    "OPEN": DisputeStage.NEEDS_RESPONSE,
    "WAITING_FOR_SELLER_RESPONSE": DisputeStage.NEEDS_RESPONSE,
    "WAITING_FOR_BUYER_RESPONSE": DisputeStage.UNDER_REVIEW,
    "UNDER_REVIEW": DisputeStage.UNDER_REVIEW,
    "OTHER": DisputeStage.UNDER_REVIEW,
}
ENDED = {
    "RESOLVED_BUYER_FAVOUR": DisputeStage.LOST,
    "RESOLVED_SELLER_FAVOUR": DisputeStage.WON,
    "RESOLVED_WITH_PAYOUT": DisputeStage.WON,
    "CANCELED_BY_BUYER": DisputeStage.WON,
    "ACCEPTED": DisputeStage.ACCEPTED,
    "DENIED": DisputeStage.WON,
}
"""By the code of the outcome. With a payout PayPal pays the buyer itself; a claim that is denied is the buyer's."""
UNDECIDED = "NONE"
INQUIRY = "INQUIRY"
ASKED = {DisputeStage.NEEDS_RESPONSE: DisputeStage.INQUIRY, DisputeStage.WON: DisputeStage.PREVENTED}
"""What an inquiry is where a claim would be this: it moves no money, and one that ends well has prevented the claim."""
TAKEN = {DisputeStage.LOST, DisputeStage.ACCEPTED}
APPEAL = "appeal"
"""The link of a dispute by which it may be appealed; without it PayPal takes no appeal."""
NOTE = "We accept the claim."


@dataclass(frozen=True, slots=True)
class Disputes:
    """The disputes of one account."""

    line: PaypalLine

    def read(self, ticket: str) -> DisputeReport:
        return _report(self.line.get("dispute_query", f"{PATH}/{ticket}"))

    def list(self, since: datetime) -> DisputeList:
        """Return each dispute as it is read by itself: the list tells no payments."""
        asked: dict[str, Any] = {
            "start_time": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "page_size": PAGE,
        }
        tickets: list[str] = []
        for _ in range(PAGES_AT_MOST):
            page = self.line.get("dispute_list", f"{PATH}?{urlencode(asked)}")
            tickets += [answers.text(row.get("dispute_id")) for row in answers.rows(page, "items")]
            token = _next(page)
            if not token:
                return self._each(tickets[::-1])
            asked["next_page_token"] = token
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the list of disputes has no end")

    def _each(self, tickets: Sequence[str]) -> DisputeList:
        found: list[DisputeReport] = []
        for ticket in tickets:
            try:
                found.append(self.read(ticket))
            except ProviderUnavailable:
                break  # the others would not be read now either
            except ProviderError:
                continue
        return DisputeList(tuple(found), unreadable=len(tickets) - len(found))

    def submit(self, ticket: str, evidence: Evidence, *, code: str) -> DisputeReport:
        path = f"{PATH}/{ticket}/provide-evidence"
        return self._hand_in("evidence", ticket, path, evidence, code=code, key=f"{code}:evidence")

    def appeal(self, ticket: str, evidence: Evidence, *, code: str) -> DisputeReport:
        path = f"{PATH}/{ticket}/appeal"
        return self._hand_in("dispute_appeal", ticket, path, evidence, code=code, key=f"{code}:appeal")

    def _hand_in(
        self, kind: str, ticket: str, path: str, evidence: Evidence, *, code: str, key: str
    ) -> DisputeReport:
        content, content_type = papers.form(evidence, code=code)
        self.line.send(kind, "POST", path, content, key=key, content_type=content_type)
        return self.read(ticket)

    def accept(self, ticket: str, *, code: str) -> DisputeReport:
        path = f"{PATH}/{ticket}/accept-claim"
        self.line.post("dispute_accept", path, {"note": NOTE}, key=f"{code}:accept")
        return self.read(ticket)


def _next(page: Mapping[str, Any]) -> str:
    """Return the token of the next page, as the links name it."""
    found = [one.get("href") for one in answers.rows(page, "links") if one.get("rel") == "next"]
    query = parse_qs(urlsplit(found[0]).query) if found and isinstance(found[0], str) else {}
    return query.get("next_page_token", [""])[0]


def _report(dispute: Mapping[str, Any]) -> DisputeReport:
    ticket, about = answers.text(dispute.get("dispute_id")), answers.first(dispute, "disputed_transactions")
    if not ticket:
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no dispute")
    reason = answers.text(dispute.get("reason"))
    outcome = answers.text(answers.part(dispute, "dispute_outcome").get("outcome_code"))
    withdrawn, reinstated, fee = _moved(dispute)
    stage = _stage(dispute, outcome, withdrawn, reinstated)
    return DisputeReport(
        ticket=ticket,
        payment_ticket="",
        receipt=answers.text(about.get("seller_transaction_id")),
        stage=stage,
        reason_code=REASONS.get(reason, "general"),
        provider_reason=reason,
        money=answers.money(dispute.get("dispute_amount")),
        fee=fee,
        withdrawn=withdrawn,
        reinstated=reinstated,
        due_by=answers.instant(dispute.get("seller_response_due_date")),
        outcome=outcome or answers.text(dispute.get("status")),
        opened_at=answers.instant(dispute.get("create_time")),
        question=answers.text(dispute.get("dispute_life_cycle_stage")),
        may_appeal=stage in TAKEN and any(one.get("rel") == APPEAL for one in answers.rows(dispute, "links")),
    )


def _stage(
    dispute: Mapping[str, Any], outcome: str, withdrawn: Money | None, reinstated: Money | None
) -> DisputeStage:
    """
    Return the stage; an inquiry that was answered waits for us no more, as a claim does not. One that took money, as it does
    where it is lost, is no mere inquiry any more: appealed, it is won as a claim is.
    """
    status = answers.text(dispute.get("status"))
    stage = ENDED.get(outcome) if status == "RESOLVED" else WAITING.get(status)
    if status == "RESOLVED" and outcome == UNDECIDED:
        stage = _undecided(withdrawn, reinstated)
    if stage is None:
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the dispute is in a state that is not known here")
    is_inquiry = dispute.get("dispute_life_cycle_stage") == INQUIRY and withdrawn is None
    return ASKED.get(stage, stage) if is_inquiry else stage


def _undecided(withdrawn: Money | None, reinstated: Money | None) -> DisputeStage:
    """Return the end of a dispute that PayPal closed without saying for whom: it is lost where its money stayed away."""
    away = _sum([money for money in (withdrawn, -reinstated if reinstated else None) if money])
    return DisputeStage.LOST if away and away.is_positive else DisputeStage.WON


def _moved(dispute: Mapping[str, Any]) -> tuple[Money | None, Money | None, Money | None]:
    """
    Return what left our balance for a dispute, what came back, and what PayPal kept for it: None for nothing.

    Raises ProviderUncertain where one of our movements cannot be read: a sum without it would book too little.
    """
    out: list[Money] = []
    back: list[Money] = []
    fees: list[Money] = []
    for row in answers.rows(dispute, "money_movements"):
        if row.get("affected_party") != "SELLER":
            continue
        money = answers.money(row.get("amount"))
        is_debit = row.get("type") == "DEBIT"
        if answers.text(row.get("reason")).endswith("_FEE"):
            fees.append(money if is_debit else -money)
        else:
            (out if is_debit else back).append(money)
    fee = _sum(fees)
    return _sum(out), _sum(back), fee if fee and fee.minor else None


def _sum(parts: list[Money]) -> Money | None:
    try:
        return sum(parts[1:], parts[0]) if parts else None
    except CurrencyMismatch as error:
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the dispute moved money in two currencies") from error
