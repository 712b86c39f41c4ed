"""Questions of a business about a transaction, answered later at its result address."""

import hmac
import sqlite3

from apps.simulator.contracts import Account, Plan
from apps.simulator.services import callbacks, credentials, identifiers, payloads, prompts, results
from apps.simulator.services.clock import moment

ANSWER_AFTER_MS = 1_000


def ask(
    *,
    tx: sqlite3.Connection,
    account: Account,
    question: dict[str, str],
    result_url: str,
    plan: Plan,
    now: int,
) -> tuple[str, str]:
    """
    Owe the answer to a question and return its originator and conversation identifiers.

    `question` has initiator, credential, receipt and conversation. The answer tells the state at
    this moment; a wrong initiator or password is answered with 2001.
    """
    originator = identifiers.merchant_request(tx=tx)
    conversation = identifiers.conversation(tx=tx, day=moment(at=now).strftime("%Y%m%d"))
    prompt = prompts.find(
        tx=tx,
        receipt=question["receipt"],
        conversation=question["conversation"],
        shortcode=account.shortcode,
    )
    is_trusted = _is_trusted(tx=tx, account=account, question=question)
    if is_trusted and prompt is not None:
        payload = payloads.status_result(originator=originator, conversation=conversation, prompt=prompt)
    else:
        code = results.UNKNOWN_TRANSACTION if is_trusted else results.WRONG_PIN
        payload = payloads.status_refusal(originator=originator, conversation=conversation, code=code)
    callbacks.queue(
        tx=tx,
        prompt_id=prompt.id if prompt else "",
        kind="status",
        url=result_url,
        payload=payload,
        plan=plan,
        now=now + ANSWER_AFTER_MS,
    )
    return originator, conversation


def _is_trusted(*, tx: sqlite3.Connection, account: Account, question: dict[str, str]) -> bool:
    password = credentials.decrypt(tx=tx, credential=question["credential"])
    return (
        password is not None
        and bool(account.initiator)
        and question["initiator"] == account.initiator
        and hmac.compare_digest(password, account.initiator_password.encode())
    )
