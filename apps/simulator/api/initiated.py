"""What an initiator asks for and gets a result of later: transaction status and reversal."""

from apps.simulator.api import fields
from apps.simulator.api.calls import Call, ok
from apps.simulator.contracts import Response, ReversalOrder
from apps.simulator.services import credentials, faults, inquiries, payments, reversals


def transaction_status(call: Call) -> Response:
    """Accept a question about a transaction; the answer comes to ResultURL."""
    consumer = call.consumer()
    body = call.body
    question = {
        "initiator": fields.words(body, "Initiator", longest=100),
        "credential": fields.words(body, "SecurityCredential", longest=2_000),
        "receipt": fields.words(body, "TransactionID", longest=20, is_optional=True),
        "conversation": fields.words(body, "OriginalConversationID", longest=100, is_optional=True),
    }
    fields.one_of(body, "CommandID", choices=("TransactionStatusQuery",))
    if not question["receipt"] and not question["conversation"]:
        raise fields.invalid("TransactionID")
    shortcode = fields.shortcode(body, "PartyA", longest=7)
    question["result_url"] = fields.url(body, "ResultURL")
    question["timeout_url"] = fields.url(body, "QueueTimeOutURL")
    fields.words(body, "Remarks", longest=100)
    fields.words(body, "Occasion", longest=100, is_optional=True)
    account = call.account(shortcode, consumer=consumer)
    fields.one_of(body, "IdentifierType", choices=("4",) if account.type == "paybill" else ("2", "4"))
    originator, conversation = inquiries.ask(
        tx=call.tx,
        account=account,
        question=question,
        plan=call.faults.plan,
        now=call.now,
    )
    return _accepted(originator, conversation)


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
    if plan.is_callback_first:
        call.settle_first(opened.id)
    return _accepted(opened.id, opened.conversation_id)


def _accepted(originator: str, conversation: str) -> Response:
    return ok(
        {
            "OriginatorConversationID": originator,
            "ConversationID": conversation,
            "ResponseCode": "0",
            "ResponseDescription": "Accept the service request successfully.",
        }
    )
