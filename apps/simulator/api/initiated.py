"""What an initiator asks for and gets a result of later: transaction status, balance and reversal."""

from apps.simulator.api import fields
from apps.simulator.api.calls import Call, ok
from apps.simulator.contracts import Response, ReversalOrder
from apps.simulator.services import credentials, faults, inquiries, payments, reversals


def transaction_status(call: Call) -> Response:
    """Accept a question about a transaction; the answer comes to ResultURL."""
    question = _question(call, command="TransactionStatusQuery")
    receipt = fields.words(call.body, "TransactionID", longest=20, is_optional=True)
    conversation = fields.words(call.body, "OriginalConversationID", longest=100, is_optional=True)
    if not receipt and not conversation:
        raise fields.invalid("TransactionID")
    fields.words(call.body, "Occasion", longest=100, is_optional=True)
    return _accepted(
        *inquiries.ask_status(tx=call.tx, question=question, receipt=receipt, conversation=conversation)
    )


def account_balance(call: Call) -> Response:
    """Accept the question what a shortcode holds; the answer comes to ResultURL."""
    question = _question(call, command="AccountBalance")
    return _accepted(*inquiries.ask_balance(tx=call.tx, question=question))


def reversal(call: Call) -> Response:
    """Accept a request to give a payment back; the result comes to ResultURL."""
    consumer = call.consumer()
    body = call.body
    initiator = fields.words(body, "Initiator", longest=100)
    credential = fields.words(body, "SecurityCredential", longest=2_000)
    fields.one_of(body, "CommandID", choices=("TransactionReversal",))
    order = ReversalOrder(
        receipt=fields.words(body, "TransactionID", longest=20),
        amount_cents=fields.whole_shillings(body),
        shortcode=fields.shortcode(body, "ReceiverParty", longest=7),
        result_url=fields.url(body, "ResultURL"),
        timeout_url=fields.url(body, "QueueTimeOutURL"),
    )
    fields.one_of(body, "RecieverIdentifierType", choices=("11",))
    fields.words(body, "Remarks", longest=100, shortest=2)
    fields.words(body, "Occasion", longest=100, is_optional=True)
    account = call.account(order.shortcode, consumer=consumer)
    payment = payments.by_receipt(tx=call.tx, receipt=order.receipt)
    plan = call.take_magic(faults.magic_reversal_actions(msisdn=payment.payer if payment else "")).plan
    if not call.faults.answer.is_processed:
        return Response()
    is_trusted = credentials.are_right(
        tx=call.tx, account=account, initiator=initiator, credential=credential
    )
    opened = reversals.open_reversal(tx=call.tx, order=order, is_trusted=is_trusted, plan=plan, now=call.now)
    if plan.callback.is_first:
        call.settle_first(opened.id)
    return _accepted(opened.id, opened.conversation_id)


def _question(call: Call, *, command: str) -> inquiries.Question:
    """Read what every question of an initiator carries."""
    consumer = call.consumer()
    body = call.body
    initiator = fields.words(body, "Initiator", longest=100)
    credential = fields.words(body, "SecurityCredential", longest=2_000)
    fields.one_of(body, "CommandID", choices=(command,))
    shortcode = fields.shortcode(body, "PartyA", longest=7)
    result_url, timeout_url = fields.url(body, "ResultURL"), fields.url(body, "QueueTimeOutURL")
    fields.words(body, "Remarks", longest=100)
    account = call.account(shortcode, consumer=consumer)
    fields.one_of(body, "IdentifierType", choices=("4",) if account.type == "paybill" else ("2", "4"))
    return inquiries.Question(
        account=account,
        initiator=initiator,
        credential=credential,
        result_url=result_url,
        timeout_url=timeout_url,
        plan=call.faults.plan,
        asked_at=call.now,
    )


def _accepted(originator: str, conversation: str) -> Response:
    return ok(
        {
            "OriginatorConversationID": originator,
            "ConversationID": conversation,
            "ResponseCode": "0",
            "ResponseDescription": "Accept the service request successfully.",
        }
    )
