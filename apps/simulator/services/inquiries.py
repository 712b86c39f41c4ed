"""Questions of a business, answered later at its result address: about a transaction, and about its balance."""

import sqlite3
from dataclasses import dataclass

from apps.simulator.contracts import Account, Plan
from apps.simulator.services import (
    callbacks,
    credentials,
    identifiers,
    payloads,
    payments,
    results,
    reversals,
)
from apps.simulator.services.clock import moment

ANSWER_AFTER_MS = 1_000


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks, and where he wants to be answered; times are virtual milliseconds."""

    account: Account
    initiator: str
    credential: str
    result_url: str
    timeout_url: str
    plan: Plan
    asked_at: int


def ask_status(
    *, tx: sqlite3.Connection, question: Question, receipt: str, conversation: str
) -> tuple[str, str]:
    """
    Owe the state of a transaction at this moment and return originator and conversation identifiers.

    A wrong initiator or password is answered with 2001.
    """
    names = _names(tx=tx, question=question)
    about = {"receipt": receipt, "conversation": conversation, "shortcode": question.account.shortcode}
    payment = payments.find(tx=tx, **about)
    reversal = reversals.find(tx=tx, **about)
    if not _is_trusted(tx=tx, question=question):
        payload = payloads.refusal(code=results.WRONG_PIN, **names)
    elif payment is not None:
        payload = payloads.status_result(paid=payment, plan=question.plan, **names)
    elif reversal is not None:
        payload = payloads.reversal_status(reversal=reversal, plan=question.plan, **names)
    else:
        payload = payloads.refusal(code=results.UNKNOWN_TRANSACTION, **names)
    found = payment or reversal
    return _owe(
        tx=tx, question=question, names=names, kind="status", cause=found.id if found else "", payload=payload
    )


def ask_balance(*, tx: sqlite3.Connection, question: Question) -> tuple[str, str]:
    """Owe the balances of the shortcode at this moment and return originator and conversation identifiers."""
    names = _names(tx=tx, question=question)
    if _is_trusted(tx=tx, question=question):
        payload = payloads.balance_result(
            account=question.account, plan=question.plan, at=question.asked_at + ANSWER_AFTER_MS, **names
        )
    else:
        payload = payloads.refusal(code=results.WRONG_PIN, **names)
    return _owe(tx=tx, question=question, names=names, kind="balance", cause="", payload=payload)


def _names(*, tx: sqlite3.Connection, question: Question) -> dict[str, str]:
    day = moment(at=question.asked_at).strftime("%Y%m%d")
    return {
        "originator": identifiers.merchant_request(tx=tx),
        "conversation": identifiers.conversation(tx=tx, day=day),
    }


def _is_trusted(*, tx: sqlite3.Connection, question: Question) -> bool:
    return credentials.are_right(
        tx=tx, account=question.account, initiator=question.initiator, credential=question.credential
    )


def _owe(
    *,
    tx: sqlite3.Connection,
    question: Question,
    names: dict[str, str],
    kind: str,
    cause: str,
    payload: dict[str, object],
) -> tuple[str, str]:
    """Owe the answer, or the message of the queue that gave up."""
    plan = question.plan
    if plan.queue_timeout_ms is not None:
        kind, url, cause, wait_ms = "timeout", question.timeout_url, "", plan.queue_timeout_ms
        payload = payloads.timed_out(**names)
    else:
        url, wait_ms = question.result_url, ANSWER_AFTER_MS
    callbacks.queue(
        tx=tx,
        cause=cause,
        kind=kind,
        url=url,
        payload=payload,
        delivery=plan.callback,
        now=question.asked_at + wait_ms,
    )
    return names["originator"], names["conversation"]
