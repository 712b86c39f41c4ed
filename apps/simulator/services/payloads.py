"""The bodies of Daraja's callbacks, with the field names, order and types of Safaricom's samples."""

from decimal import Decimal

from apps.simulator.contracts import Prompt, PromptState
from apps.simulator.services import results
from apps.simulator.services.clock import digits

NO_RECEIPT = "OAK0000000"


def stk_callback(*, prompt: Prompt) -> dict[str, object]:
    """Return the body that ends a decided prompt; only a success carries CallbackMetadata."""
    callback: dict[str, object] = {
        "MerchantRequestID": prompt.merchant_request_id,
        "CheckoutRequestID": prompt.id,
        "ResultCode": results.on_the_wire(code=prompt.result_code),
        "ResultDesc": prompt.result_desc,
    }
    if prompt.state is PromptState.PAID:
        announced = prompt.plan.announced_cents
        callback["CallbackMetadata"] = {
            "Item": [
                {
                    "Name": "Amount",
                    "Value": _wire_amount(prompt.moved_cents if announced is None else announced),
                },
                {"Name": "MpesaReceiptNumber", "Value": prompt.receipt},
                {"Name": "Balance"},
                {"Name": "TransactionDate", "Value": digits(at=prompt.decided_at or 0)},
                {"Name": "PhoneNumber", "Value": int(prompt.payer)},
            ]
        }
    return {"Body": {"stkCallback": callback}}


def status_result(*, originator: str, conversation: str, prompt: Prompt) -> dict[str, object]:
    """Return what Transaction Status tells of a prompt; ResultCode 0 says only that the question was answered."""
    is_paid = prompt.state is PromptState.PAID
    finalised = digits(at=prompt.decided_at) if prompt.decided_at else None
    debited = f"{prompt.payer} - PAYER {prompt.payer[-4:]}"
    parameters = [
        _pair("DebitPartyName", debited),
        _pair("DebitPartyName", f"{prompt.receiver} - {prompt.business_name}"),
        _pair("OriginatorConversationID", prompt.merchant_request_id),
        _pair("InitiatedTime", digits(at=prompt.created_at)),
        _pair("DebitAccountType", "MMF Account For Customer"),
        _pair("DebitPartyCharges", ""),
        _pair("TransactionReason", None),
        _pair(
            "ReasonType", "Pay Bill Online" if "PayBill" in prompt.transaction_type else "Buy Goods Online"
        ),
        _pair("TransactionStatus", results.fate(code=prompt.result_code)),
        _pair("FinalisedTime", finalised),
        _pair("Amount", _wire_amount(prompt.moved_cents if is_paid else prompt.amount_cents)),
        _pair("ConversationID", prompt.conversation_id),
        _pair("ReceiptNo", prompt.receipt or None),
    ]
    return _result(
        originator=originator,
        conversation=conversation,
        code=results.SUCCESS,
        extra={
            "TransactionID": prompt.receipt or NO_RECEIPT,
            "ResultParameters": {"ResultParameter": parameters},
        },
    )


def status_refusal(*, originator: str, conversation: str, code: str) -> dict[str, object]:
    """Return a Result without parameters, as for a wrong initiator or an unknown transaction."""
    return _result(
        originator=originator, conversation=conversation, code=code, extra={"TransactionID": NO_RECEIPT}
    )


def _result(*, originator: str, conversation: str, code: str, extra: dict[str, object]) -> dict[str, object]:
    return {
        "Result": {
            "ResultType": 0,
            "ResultCode": results.on_the_wire(code=code),
            "ResultDesc": results.describe(code=code),
            "OriginatorConversationID": originator,
            "ConversationID": conversation,
            **extra,
            "ReferenceData": {"ReferenceItem": {"Key": "Occasion"}},
        }
    }


def _pair(key: str, value: object) -> dict[str, object]:
    return {"Key": key} if value is None else {"Key": key, "Value": value}


def _wire_amount(cents: int) -> float:
    return float(Decimal(cents) / 100)  # Daraja's results carry amounts as JSON floats
