"""Disputes: a payer asks for their money back, the merchant is heard, PayPal or a bank says who is right, and may be asked again."""

from apps.simulator.paypal.contracts import Body, PayPalRefusal, Scope
from apps.simulator.paypal.services import captures, currencies, events, ids, movements, objects

ANSWER_WITHIN_MS = 10 * 24 * 3_600_000
APPEAL_WITHIN_MS = 10 * 24 * 3_600_000
INQUIRY, CHARGEBACK = "INQUIRY", "CHARGEBACK"
INTERNAL = "INTERNAL"
"""The channel of what is brought before PayPal, which decides it; a bank decides what comes from outside."""
STAGES = (INQUIRY, CHARGEBACK, "PRE_ARBITRATION", "ARBITRATION")
REASONS = (
    "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
    "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED",
    "UNAUTHORISED",
    "CREDIT_NOT_PROCESSED",
    "DUPLICATE_TRANSACTION",
    "INCORRECT_AMOUNT",
    "PAYMENT_BY_OTHER_MEANS",
    "CANCELED_RECURRING_BILLING",
    "PROBLEM_WITH_REMITTANCE",
    "OTHER",
)
ASKED, HEARD, OVER = "WAITING_FOR_SELLER_RESPONSE", "UNDER_REVIEW", "RESOLVED"
STATES = {ASKED: "REQUIRED_ACTION", HEARD: "UNDER_PAYPAL_REVIEW", OVER: "RESOLVED"}
APPEALABLE = "APPEALABLE"
LOST = "RESOLVED_BUYER_FAVOUR"


def add(scope: Scope, capture: Body, *, reason: str, stage: str, amount: int | None = None) -> Body:
    """
    Open a dispute about a capture; raise PayPalRefusal where there is one.

    A chargeback takes the money and a fee at once; an inquiry takes nothing until it is lost or accepted.
    """
    held = objects.private(scope, capture["id"])
    if held.get("dispute"):
        raise PayPalRefusal(422, "TRANSACTION_DISPUTED")
    disputed = captures.left(scope, capture) if amount is None else amount
    currency = capture["amount"]["currency_code"]
    identifier = ids.draw(tx=scope.tx, kind="dispute")
    due_by = scope.now + ANSWER_WITHIN_MS
    body: Body = {
        "dispute_id": identifier,
        **objects.stamps(scope),
        "disputed_transactions": [_transaction(scope, capture)],
        "reason": reason,
        "status": ASKED,
        "dispute_state": STATES[ASKED],
        "dispute_amount": currencies.money(disputed, currency),
        "money_movements": [],
        "dispute_life_cycle_stage": stage,
        "dispute_channel": "EXTERNAL" if stage == CHARGEBACK else INTERNAL,
        "evidences": [],
        "messages": [],
        "seller_response_due_date": objects.instant(due_by),
        "links": _links(scope, identifier),
    }
    objects.add(scope, "dispute", body, key="dispute_id", due_at=due_by, capture=capture["id"])
    objects.note(scope, capture["id"], dispute=identifier)
    if stage != INQUIRY:
        _move(scope, body, movements.CHARGEBACK, -disputed, fee=scope.account.dispute_fee)
    events.tell(
        scope, "CUSTOMER.DISPUTE.CREATED", body, summary="A new dispute opened with Case # " + identifier
    )
    return body


def answer(scope: Scope, dispute: Body, *, evidences: list[Body]) -> Body:
    """Keep what the merchant says, and let PayPal look at it; raise PayPalRefusal where nobody waits for that."""
    check_open(dispute)
    _keep(scope, dispute, evidences)
    return _change(scope, dispute, status=HEARD, name="UPDATED")


def appeal(scope: Scope, dispute: Body, *, evidences: list[Body]) -> Body:
    """
    Keep what the merchant says to a claim that PayPal decided for the payer, and let PayPal look at it again, once; raise
    PayPalRefusal where it takes no appeal. The money stays with the payer.
    """
    if dispute["dispute_state"] != APPEALABLE:
        raise PayPalRefusal(422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    _keep(scope, dispute, evidences)
    del dispute["dispute_outcome"]
    objects.note(scope, dispute["dispute_id"], is_appealed=True)
    _unlink(dispute)
    return _change(scope, dispute, status=HEARD, name="UPDATED")


def escalate(scope: Scope, dispute: Body) -> Body:
    """
    Let the payer turn an inquiry into a claim, or a bank take a case one stage on, whether the merchant was heard or not: the
    money is withdrawn unless it was, and the merchant is asked anew. Raises PayPalRefusal where it is over.
    """
    _check_undecided(dispute)
    stage = STAGES[min(STAGES.index(dispute["dispute_life_cycle_stage"]) + 1, len(STAGES) - 1)]
    dispute["dispute_life_cycle_stage"] = stage
    if not dispute["money_movements"]:
        taken = -currencies.minor(dispute["dispute_amount"])
        _move(scope, dispute, movements.CHARGEBACK, taken, fee=scope.account.dispute_fee)
    dispute["seller_response_due_date"] = objects.instant(scope.now + ANSWER_WITHIN_MS)
    return _change(scope, dispute, status=ASKED, name="UPDATED")


def accept(scope: Scope, dispute: Body) -> Body:
    """Give in: the payer gets the money."""
    check_open(dispute)
    return decide(scope, dispute, is_won=False, code="ACCEPTED")


def decide(scope: Scope, dispute: Body, *, is_won: bool, code: str = "") -> Body:
    """
    Say who is right; what is won comes back, the fee does not. What PayPal, and no bank, decided for the payer may be appealed for
    ten days. Raises PayPalRefusal where it is over.
    """
    _check_undecided(dispute)
    identifier, code = dispute["dispute_id"], code or ("RESOLVED_SELLER_FAVOUR" if is_won else LOST)
    was_appealed = objects.private(scope, identifier).get("is_appealed", False)
    _settle(scope, dispute, is_won=is_won)
    dispute["dispute_outcome"] = {
        "outcome_code": code,
        "amount_refunded": currencies.money(
            0 if is_won else currencies.minor(dispute["dispute_amount"]),
            dispute["dispute_amount"]["currency_code"],
        ),
    }
    dispute.pop("seller_response_due_date", None)
    if code != LOST or was_appealed or dispute["dispute_channel"] != INTERNAL:
        return _change(scope, dispute, status=OVER, name="RESOLVED")
    own = f"/v1/customer/disputes/{identifier}/appeal"
    dispute["links"].append(objects.link(scope, own, "appeal", "POST"))
    _change(scope, dispute, status=OVER, state=APPEALABLE, name="RESOLVED")
    objects.wake(scope, identifier, at=scope.now + APPEAL_WITHIN_MS)
    return dispute


def _settle(scope: Scope, dispute: Body, *, is_won: bool) -> None:
    """Move what a decision moves; one about an appeal undoes what the loss did, or leaves it."""
    amount, is_taken = currencies.minor(dispute["dispute_amount"]), bool(dispute["money_movements"])
    held = objects.private(scope, dispute["dispute_id"])
    if is_won and is_taken:
        _move(scope, dispute, movements.CHARGEBACK_REVERSAL, amount)
    if is_won and held.get("reversal"):
        _keep_again(scope, held["capture"], held["reversal"], amount)
    if not is_won and not held.get("reversal"):
        if not is_taken:
            _move(scope, dispute, movements.REVERSAL, -amount)
        _reverse(scope, dispute, amount)
    if objects.private(scope, held["capture"]).get("dispute") == dispute["dispute_id"]:
        objects.note(scope, held["capture"], dispute="")


def withdraw(scope: Scope, dispute: Body) -> Body:
    """Let the payer take the case back."""
    return decide(scope, dispute, is_won=True, code="CANCELED_BY_BUYER")


def shut(scope: Scope, dispute: Body) -> Body:
    """Take no appeal any more, and tell nobody; raise PayPalRefusal where none was taken."""
    if dispute["dispute_state"] != APPEALABLE:
        raise PayPalRefusal(422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    _unlink(dispute)
    objects.wake(scope, dispute["dispute_id"], at=None)
    return objects.save(scope, dispute["dispute_id"], dispute | {"dispute_state": STATES[OVER]})


def settle(scope: Scope, dispute: Body) -> None:
    """Lose what was not answered in time, and take no appeal any more once the time for that is over."""
    if dispute["status"] != OVER:
        decide(scope, dispute, is_won=False)
        return
    shut(scope, dispute)


def check_open(dispute: Body) -> None:
    """Refuse what is only done while the merchant is asked."""
    if dispute["status"] != ASKED:
        raise PayPalRefusal(422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")


def _check_undecided(dispute: Body) -> None:
    if dispute["status"] == OVER:
        raise PayPalRefusal(422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")


def _keep(scope: Scope, dispute: Body, evidences: list[Body]) -> None:
    told = [
        evidence | {"source": "SUBMITTED_BY_SELLER", "date": objects.instant(scope.now)}
        for evidence in evidences
    ]
    dispute["evidences"] = [*dispute["evidences"], *told]


def _unlink(dispute: Body) -> None:
    dispute["links"] = [link for link in dispute["links"] if link["rel"] != "appeal"]


def _change(scope: Scope, dispute: Body, *, status: str, name: str, state: str = "") -> Body:
    dispute |= {"status": status, "dispute_state": state or STATES[status]}
    due = dispute.get("seller_response_due_date")
    objects.wake(scope, dispute["dispute_id"], at=objects.moment(due) if due and status == ASKED else None)
    objects.save(scope, dispute["dispute_id"], dispute)
    summary = f"A dispute was {name.lower()} with Case # {dispute['dispute_id']}"
    events.tell(scope, f"CUSTOMER.DISPUTE.{name}", dispute, summary=summary)
    return dispute


def _move(scope: Scope, dispute: Body, code: str, amount: int, *, fee: int = 0) -> None:
    """Take money for the payer or bring it back, and tell it in the dispute; the fee counts in the account's currency."""
    currency, own = dispute["dispute_amount"]["currency_code"], scope.account.currency
    capture = dispute["disputed_transactions"][0]
    source = {
        "reference": capture["seller_transaction_id"],
        "invoice_id": capture.get("invoice_number"),
        "custom_id": capture.get("custom"),
    }
    identifier = dispute["dispute_id"]
    movements.book(scope, code, identifier, amount=amount, currency=currency, source=source)
    told = [(amount, currency, "DISPUTE_SETTLEMENT")]
    if fee:
        movements.book(scope, movements.CHARGEBACK_FEE, identifier, amount=-fee, currency=own, source=source)
        told.append((-fee, own, "DISPUTE_SETTLEMENT_FEE"))
    for moved, unit, why in told:
        dispute["money_movements"].append(
            {
                "affected_party": "SELLER",
                "amount": currencies.money(abs(moved), unit),
                "initiated_time": objects.instant(scope.now),
                "type": "DEBIT" if moved < 0 else "CREDIT",
                "reason": why,
            }
        )
    objects.save(scope, dispute["dispute_id"], dispute)


def _reverse(scope: Scope, dispute: Body, amount: int) -> None:
    """Count what was lost as given back, and tell it as a reversal of the capture."""
    known = objects.private(scope, dispute["dispute_id"])
    capture = captures.give_back(scope, objects.get(scope, "capture", known["capture"]), amount)
    identifier = ids.draw(tx=scope.tx, kind="refund")
    reversal = {
        "id": identifier,
        "status": "COMPLETED",
        "amount": dispute["dispute_amount"],
        "note_to_payer": "Payment reversed",
        "links": [
            objects.link(scope, f"/v2/payments/refunds/{identifier}", "self"),
            objects.link(scope, f"/v2/payments/captures/{capture['id']}", "up"),
        ],
        **objects.stamps(scope),
    }
    place = objects.private(scope, capture["id"])
    objects.add(scope, "refund", reversal, capture=capture["id"], order=place["order"], unit=place["unit"])
    objects.note(scope, dispute["dispute_id"], reversal=identifier)
    summary = (
        f"A {capture['amount']['currency_code']} {capture['amount']['value']} capture payment was reversed"
    )
    events.tell(scope, "PAYMENT.CAPTURE.REVERSED", reversal, summary=summary)


def _keep_again(scope: Scope, capture: str, reversal: str, amount: int) -> None:
    """Count what was lost as kept again: the capture can be given back by the merchant, and its reversal is none any more."""
    captures.give_back(scope, objects.get(scope, "capture", capture), -amount)
    gone = objects.get(scope, "refund", reversal)
    objects.save(scope, reversal, gone | {"status": "CANCELLED"})


def _transaction(scope: Scope, capture: Body) -> Body:
    told = {"invoice_number": capture.get("invoice_id"), "custom": capture.get("custom_id")}
    return {
        "buyer_transaction_id": ids.draw(tx=scope.tx, kind="transaction"),
        "seller_transaction_id": capture["id"],
        "create_time": capture["create_time"],
        "transaction_status": "COMPLETED",
        "gross_amount": capture["amount"],
        **{name: value for name, value in told.items() if value},
        "buyer": {"name": "Amina Otieno"},
        "seller": {"merchant_id": scope.account.id, "name": scope.account.name},
    }


def _links(scope: Scope, identifier: str) -> list[Body]:
    own = f"/v1/customer/disputes/{identifier}"
    return [
        objects.link(scope, own, "self"),
        objects.link(scope, f"{own}/provide-evidence", "provide_evidence", "POST"),
        objects.link(scope, f"{own}/accept-claim", "accept_claim", "POST"),
    ]
