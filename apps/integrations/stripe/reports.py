"""What a session and a payment of Stripe's say, in our words."""

from collections.abc import Mapping
from typing import Any

from apps.integrations.ports import (
    CollectionReport,
    NextAction,
    NextActionKind,
    Outcome,
    ProviderUncertain,
)
from apps.integrations.stripe import answers, codes
from apps.kit.money import Money

PAGE = "Pay by card on Stripe's page."
WITH_MONEY = ["latest_charge.balance_transaction"]
"""What is asked for along with a payment: its charge, and what the charge did to our balance."""


def redirect(url: str) -> NextAction:
    return NextAction(NextActionKind.REDIRECT, PAGE, url)


def of_session(ticket: str, session: Mapping[str, Any]) -> CollectionReport:
    """
    Return what a session says, its payment told along. While it is open a refused card decides nothing: the payer may
    take another. A session that is complete is not paid for that.
    """
    payment, status = answers.part(session, "payment_intent"), session.get("status")
    if payment.get("status") in ("succeeded", "requires_capture", "processing"):
        return of_payment(ticket, payment)
    if status == "open":
        url = answers.link(session.get("url"))
        action = redirect(url) if url else None
        return CollectionReport(ticket, Outcome.PENDING, provider_code="open", next_action=action)
    if status == "expired":
        return _declined(ticket, payment, otherwise="expired")
    if status == "complete" and payment:
        return of_payment(ticket, payment)
    raise _unreadable("session", status)


def of_payment(ticket: str, payment: Mapping[str, Any]) -> CollectionReport:
    """Return what a payment says, its charge and what that did to our balance told along."""
    status = payment.get("status")
    if status == "succeeded":
        return _collected(ticket, payment)
    if status == "requires_capture":
        held = answers.money(payment.get("amount_capturable"), payment.get("currency"))
        return _with_charge(ticket, Outcome.AUTHORIZED, held, payment)
    if status == "canceled":
        reason = codes.CANCELLATIONS.get(
            answers.text(payment.get("cancellation_reason")), "customer_cancelled"
        )
        return _declined(ticket, payment, otherwise=reason)
    if status == "requires_payment_method" and payment.get("last_payment_error"):
        return _declined(ticket, payment, otherwise=codes.UNKNOWN)
    if status in ("processing", "requires_action", "requires_confirmation", "requires_payment_method"):
        return CollectionReport(ticket, Outcome.PENDING, provider_code=str(status)[: codes.LONGEST_CODE])
    raise _unreadable("payment", status)


def _collected(ticket: str, payment: Mapping[str, Any]) -> CollectionReport:
    received = answers.money(payment.get("amount_received"), payment.get("currency"))
    return _with_charge(ticket, Outcome.COLLECTED, received, payment)


def _with_charge(ticket: str, outcome: Outcome, money: Money, payment: Mapping[str, Any]) -> CollectionReport:
    """Return a report with what the charge adds: receipt, fee, rate, the card. What of these is odd is left out."""
    charge = answers.part(payment, "latest_charge")
    moved = answers.moved(answers.part(charge, "balance_transaction"), money)
    card = answers.part(answers.part(charge, "payment_method_details"), "card")
    return CollectionReport(
        ticket,
        outcome,
        money=money,
        receipt=answers.handle(payment.get("latest_charge")) if outcome is Outcome.COLLECTED else "",
        occurred_at=answers.instant(charge.get("created")),
        provider_code=answers.text(payment.get("status")),
        fee=moved.fee,
        settled=moved.settled,
        rate=moved.rate,
        method_details={name: answers.text(card.get(name)) for name in ("brand", "last4") if card.get(name)},
    )


def _declined(ticket: str, payment: Mapping[str, Any], *, otherwise: str) -> CollectionReport:
    """Return a refusal: by what the card's bank said last, else for another reason."""
    error = answers.part(payment, "last_payment_error")
    code, decline_code = (answers.text(error.get(name)) for name in ("code", "decline_code"))
    reason = codes.decline(code, decline_code) if code else otherwise
    return CollectionReport(
        ticket,
        Outcome.DECLINED,
        reason_code=reason,
        provider_code=(decline_code or code or otherwise)[: codes.LONGEST_CODE],
        message=answers.text(error.get("message")) if reason == codes.UNKNOWN else codes.MESSAGES[reason],
    )


def _unreadable(what: str, status: object) -> ProviderUncertain:
    return ProviderUncertain(
        codes.OUTCOME_UNKNOWN,
        f"the {what} is in a state that is not known here",
        provider_code=str(status)[: codes.LONGEST_CODE],
    )
