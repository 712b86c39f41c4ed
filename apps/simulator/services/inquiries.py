"""Questions of a business about a transaction, answered later at its result address."""

import sqlite3

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


def ask(
    *,
    tx: sqlite3.Connection,
    account: Account,
    question: dict[str, str],
    plan: Plan,
    now: int,
) -> tuple[str, str]:
    """
    Owe the answer to a question and return its originator and conversation identifiers.

    `question` has initiator, credential, receipt, conversation, result_url and timeout_url. The answer
    tells the state at this moment; a wrong initiator or password is answered with 2001.
    """
    originator = identifiers.merchant_request(tx=tx)
    conversation = identifiers.conversation(tx=tx, day=moment(at=now).strftime("%Y%m%d"))
    if plan.queue_timeout_ms is not None:
        callbacks.queue(
            tx=tx,
            cause="",
            kind="timeout",
            url=question["timeout_url"],
            payload=payloads.timed_out(originator=originator, conversation=conversation),
            plan=plan,
            now=now + plan.queue_timeout_ms,
        )
        return originator, conversation
    about = {
        "receipt": question["receipt"],
        "conversation": question["conversation"],
        "shortcode": account.shortcode,
    }
    payment = payments.find(tx=tx, **about)
    reversal = reversals.find(tx=tx, **about)
    names = {"originator": originator, "conversation": conversation}
    is_trusted = credentials.are_right(
        tx=tx, account=account, initiator=question["initiator"], credential=question["credential"]
    )
    if not is_trusted:
        payload = payloads.status_refusal(code=results.WRONG_PIN, **names)
    elif payment is not None:
        payload = payloads.status_result(paid=payment, plan=plan, **names)
    elif reversal is not None:
        payload = payloads.reversal_status(reversal=reversal, plan=plan, **names)
    else:
        payload = payloads.status_refusal(code=results.UNKNOWN_TRANSACTION, **names)
    found = payment or reversal
    callbacks.queue(
        tx=tx,
        cause=found.id if found else "",
        kind="status",
        url=question["result_url"],
        payload=payload,
        plan=plan,
        now=now + ANSWER_AFTER_MS,
    )
    return originator, conversation
