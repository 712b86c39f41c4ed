"""The bodies of Daraja's callbacks, with the field names, order and types of Safaricom's samples."""

from decimal import Decimal

from apps.simulator.contracts import (
    Account,
    Payment,
    PaymentState,
    Plan,
    Prompt,
    Reversal,
    ReversalState,
    StatementRow,
)
from apps.simulator.services import results
from apps.simulator.services.amounts import text
from apps.simulator.services.clock import digits, moment

NO_RECEIPT = "OAK0000000"
UTILITY = "Utility Account"
PURSES = (
    "Working Account",
    "Float Account",
    UTILITY,
    "Charges Paid Account",
    "Organization Settlement Account",
)
RESULT_NAMES = ("ResultParameters", "ResultParameter", "Key")


def stk_callback(*, prompt: Prompt) -> dict[str, object]:
    """Return the body that ends a decided prompt; only a success carries CallbackMetadata."""
    callback: dict[str, object] = {
        "MerchantRequestID": prompt.merchant_request_id,
        "CheckoutRequestID": prompt.id,
        "ResultCode": results.on_the_wire(code=prompt.result_code),
        "ResultDesc": prompt.result_desc,
    }
    if prompt.state is PaymentState.PAID:
        announced = prompt.plan.announced_cents
        items: list[dict[str, object]] = [
            {
                "Name": "Amount",
                "Value": _wire_amount(prompt.moved_cents if announced is None else announced),
            },
            {"Name": "MpesaReceiptNumber", "Value": prompt.receipt},
            {"Name": "Balance"},
            {"Name": "TransactionDate", "Value": digits(at=(prompt.decided_at or 0) + prompt.plan.skew_ms)},
            {"Name": "PhoneNumber", "Value": int(prompt.payer)},
        ]
        callback.update(_contained(items, plan=prompt.plan, names=("CallbackMetadata", "Item", "Name")))
    return {"Body": {"stkCallback": callback}}


def status_result(
    *, originator: str, conversation: str, paid: Prompt | Payment, plan: Plan
) -> dict[str, object]:
    """Return what Transaction Status tells of a payment, asked for or not; ResultCode 0 says only that the question was answered."""
    is_paid = paid.state is PaymentState.PAID
    finalised = digits(at=paid.decided_at) if paid.decided_at else None
    debited = f"{paid.payer} - PAYER {paid.payer[-4:]}"
    originated = paid.merchant_request_id if isinstance(paid, Prompt) else paid.conversation_id
    parameters = [
        _pair("DebitPartyName", debited),
        _pair("DebitPartyName", f"{paid.receiver} - {paid.business_name}"),
        _pair("OriginatorConversationID", originated),
        _pair("InitiatedTime", digits(at=paid.created_at)),
        _pair("DebitAccountType", "MMF Account For Customer"),
        _pair("DebitPartyCharges", ""),
        _pair("TransactionReason", None),
        _pair("ReasonType", "Pay Bill Online" if "PayBill" in paid.transaction_type else "Buy Goods Online"),
        _pair("TransactionStatus", results.fate(code=paid.result_code)),
        _pair("FinalisedTime", finalised),
        _pair("Amount", _wire_amount(paid.moved_cents if is_paid else paid.amount_cents)),
        _pair("ConversationID", paid.conversation_id),
        _pair("ReceiptNo", paid.receipt if is_paid else None),
    ]
    return _result(
        originator=originator,
        conversation=conversation,
        code=results.SUCCESS,
        extra={"TransactionID": paid.receipt if is_paid else NO_RECEIPT, **_contained(parameters, plan=plan)},
    )


def reversal_status(
    *, originator: str, conversation: str, reversal: Reversal, plan: Plan
) -> dict[str, object]:
    """Return what Transaction Status tells of a reversal, which a business debits and a payer receives."""
    is_done = reversal.state is ReversalState.DONE
    parameters = [
        _pair("DebitPartyName", reversal.shortcode),
        _pair("DebitPartyName", f"{reversal.payer} - PAYER {reversal.payer[-4:]}"),
        _pair("OriginatorConversationID", reversal.id),
        _pair("InitiatedTime", digits(at=reversal.created_at)),
        _pair("DebitAccountType", "Utility Account"),
        _pair("DebitPartyCharges", ""),
        _pair("TransactionReason", None),
        _pair("ReasonType", "Transaction Reversal"),
        _pair("TransactionStatus", results.fate(code=reversal.result_code)),
        _pair("FinalisedTime", digits(at=reversal.decided_at) if reversal.decided_at else None),
        _pair("Amount", _wire_amount(reversal.moved_cents if is_done else reversal.amount_cents)),
        _pair("ConversationID", reversal.conversation_id),
        _pair("ReceiptNo", reversal.receipt or None),
    ]
    return _result(
        originator=originator,
        conversation=conversation,
        code=results.SUCCESS,
        extra={"TransactionID": reversal.receipt or NO_RECEIPT, **_contained(parameters, plan=plan)},
    )


def reversal_result(*, reversal: Reversal, balance_cents: int) -> dict[str, object]:
    """Return the end of a reversal; only a success carries parameters."""
    extra: dict[str, object] = {"TransactionID": reversal.receipt or NO_RECEIPT}
    if reversal.state is ReversalState.DONE:
        announced = reversal.plan.announced_cents
        balance = text(cents=balance_cents)
        parameters = [
            _pair("DebitAccountBalance", f"Utility Account|KES|{balance}|{balance}|0.00|0.00"),
            _pair("Amount", _wire_amount(reversal.moved_cents if announced is None else announced)),
            _pair("TransCompletedTime", digits(at=(reversal.decided_at or 0) + reversal.plan.skew_ms)),
            _pair("OriginalTransactionID", reversal.original_receipt),
            _pair("Charge", 0),
            _pair("CreditPartyPublicName", f"{reversal.payer} - PAYER {reversal.payer[-4:]}"),
            _pair("DebitPartyPublicName", reversal.shortcode),
        ]
        extra |= _contained(parameters, plan=reversal.plan)
    return _result(
        originator=reversal.id, conversation=reversal.conversation_id, code=reversal.result_code, extra=extra
    )


def timed_out(*, originator: str, conversation: str) -> dict[str, object]:
    """Return what comes to QueueTimeOutURL: the request did not leave the queue in time."""
    return {
        "Result": {
            "ResultType": 1,
            "ResultCode": "1",
            "ResultDesc": "The service request timed out.",
            "OriginatorConversationID": originator,
            "ConversationID": conversation,
        }
    }


def pulled(*, row: StatementRow, business_name: str, is_bill: bool) -> dict[str, object]:
    """Return one row of Pull Transactions; its time carries a Z although it is East Africa Time."""
    payer = row.other_party.partition(" ")[0]
    return {
        "transactionId": row.receipt,
        "trxDate": moment(at=row.completed_at).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "msisdn": int(payer) if payer.isdecimal() else None,
        "sender": "MPESA",
        "transactiontype": "c2b-pay-bill-debit" if is_bill else "c2b-buy-goods-debit",
        "billreference": row.reference,
        "amount": text(cents=row.paid_in_cents),
        "organizationname": business_name,
    }


def balance_result(
    *, originator: str, conversation: str, account: Account, plan: Plan, at: int
) -> dict[str, object]:
    """Return what Account Balance tells: all the money is in the utility account, charges have left it."""
    purses = [
        "|".join((name, "KES", *[text(cents=cents)] * 2, "0.00", "0.00"))
        for name, cents in ((name, account.balance_cents if name == UTILITY else 0) for name in PURSES)
    ]
    parameters = [
        _pair("AccountBalance", "&".join(purses)),
        _pair("BOCompletedTime", digits(at=at + plan.skew_ms)),
    ]
    return _result(
        originator=originator,
        conversation=conversation,
        code=results.SUCCESS,
        extra={"TransactionID": NO_RECEIPT, **_contained(parameters, plan=plan)},
    )


def refusal(*, originator: str, conversation: str, code: str) -> dict[str, object]:
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


def _contained(
    entries: list[dict[str, object]],
    *,
    plan: Plan,
    names: tuple[str, str, str] = RESULT_NAMES,
) -> dict[str, object]:
    """Put entries into their container, as incomplete and in the form that a script asks for."""
    container, listed, key = names
    if plan.is_container_swapped and names is RESULT_NAMES:
        container, listed = listed, container
    if plan.missing is None:
        return {}
    kept = [entry for entry in entries if entry[key] not in plan.missing]
    return {container: {listed: kept[0] if plan.is_single_object and kept else kept}}


def _pair(key: str, value: object) -> dict[str, object]:
    return {"Key": key} if value is None else {"Key": key, "Value": value}


def _wire_amount(cents: int) -> float:
    return float(Decimal(cents) / 100)  # Daraja's results carry amounts as JSON floats
