"""What an order, its captures and its authorisation say, in our words."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.integrations.paypal import answers, codes
from apps.integrations.ports import (
    CollectionReport,
    NextAction,
    NextActionKind,
    Outcome,
    ProviderDeclined,
    ProviderUncertain,
)

PAGE = "Pay by PayPal on its page."
FORGOTTEN = "FORGOTTEN"
"""Our word for an order that PayPal does not know any more: one that was paid it keeps for years."""
TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
"""A capture that went back is a capture all the same: refunds are told by themselves."""
OPEN = ("CREATED", "SAVED", "PAYER_ACTION_REQUIRED")
HELD = ("CREATED", "PENDING")


def redirect(url: str) -> NextAction:
    return NextAction(NextActionKind.REDIRECT, PAGE, url)


def authorization(order: Mapping[str, Any]) -> str:
    """Return the id of the authorisation of which something may be taken; nothing where there is none."""
    found = [one for one in _payments(order, "authorizations") if one.get("status") in HELD]
    return answers.text(found[-1].get("id")) if found else ""


def of_order(ticket: str, order: Mapping[str, Any]) -> CollectionReport:
    """
    Return what an order says. One that the payer has agreed to is AUTHORIZED, whether PayPal holds the sum already or waits for
    our order to take it. Captures that were refused leave an authorisation as it was.
    """
    captures, held = _payments(order, "captures"), _payments(order, "authorizations")
    if _is_decided(captures) or (captures and not held):
        return of_captures(ticket, captures)
    if held:
        return _of_authorization(ticket, held[-1])
    status = answers.text(order.get("status"))
    if status == "APPROVED":
        money = answers.money(answers.first(order, "purchase_units").get("amount"))
        return CollectionReport(ticket, Outcome.AUTHORIZED, money=money, provider_code=status)
    if status in OPEN:
        url = answers.page(order)
        action = redirect(url) if url else None
        return CollectionReport(ticket, Outcome.PENDING, provider_code=status, next_action=action)
    if status in ("VOIDED", FORGOTTEN):
        return declined(ticket, "expired", status)
    raise _unreadable("order", status)


def of_captures(ticket: str, captures: Sequence[Mapping[str, Any]]) -> CollectionReport:
    """Return what captures say, of which one may have followed refused ones."""
    taken = next((one for one in captures if one.get("status") in TAKEN), None)
    if taken is not None:
        return _collected(ticket, taken)
    last = captures[-1]
    status = answers.text(last.get("status"))
    if any(one.get("status") == "PENDING" for one in captures):
        reason = answers.text(answers.part(last, "status_details").get("reason")) or status
        return CollectionReport(ticket, Outcome.PENDING, provider_code=reason[: codes.LONGEST_CODE])
    if status in ("DECLINED", "FAILED"):
        return declined(ticket, "declined", status)
    raise _unreadable("capture", status)


def declined(ticket: str, reason: str, told: str) -> CollectionReport:
    return CollectionReport(
        ticket,
        Outcome.DECLINED,
        reason_code=reason,
        provider_code=told[: codes.LONGEST_CODE],
        message=codes.MESSAGES[reason],
    )


def refused(ticket: str, refusal: ProviderDeclined) -> CollectionReport:
    """Return a refusal as the end of an order."""
    return CollectionReport(
        ticket,
        Outcome.DECLINED,
        reason_code=refusal.code,
        provider_code=refusal.provider_code,
        message=refusal.message,
    )


def _collected(ticket: str, capture: Mapping[str, Any]) -> CollectionReport:
    """Return a report with what the breakdown adds. What of it is odd is left out."""
    did = answers.credited(answers.part(capture, "seller_receivable_breakdown"))
    return CollectionReport(
        ticket,
        Outcome.COLLECTED,
        money=answers.money(capture.get("amount")),
        receipt=answers.text(capture.get("id")),
        occurred_at=answers.instant(capture.get("create_time")),
        provider_code=answers.text(capture.get("status")),
        fee=did.fee,
        settled=did.settled,
        rate=did.rate,
    )


def _of_authorization(ticket: str, held: Mapping[str, Any]) -> CollectionReport:
    status = answers.text(held.get("status"))
    if status == "CREATED":
        money = answers.money(held.get("amount"))
        return CollectionReport(ticket, Outcome.AUTHORIZED, money=money, provider_code=status)
    if status == "PENDING":
        return CollectionReport(ticket, Outcome.PENDING, provider_code=status)
    if status in ("DENIED", "VOIDED", "EXPIRED"):
        reason = {"DENIED": "declined", "VOIDED": "customer_cancelled"}.get(status, "expired")
        return declined(ticket, reason, status)
    raise _unreadable("authorisation", status)


def _payments(order: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return answers.rows(answers.part(answers.first(order, "purchase_units"), "payments"), name)


def _is_decided(captures: Sequence[Mapping[str, Any]]) -> bool:
    return any(one.get("status") in (*TAKEN, "PENDING") for one in captures)


def _unreadable(what: str, status: str) -> ProviderUncertain:
    return ProviderUncertain(
        codes.OUTCOME_UNKNOWN,
        f"the {what} is in a state that is not known here",
        provider_code=status[: codes.LONGEST_CODE],
    )
