"""Disputes: a person takes a payment to the bank, the money is withdrawn, evidence is heard, somebody wins."""

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import balances, charges, events, ids, objects

ANSWER_WITHIN = 9 * 24 * 3_600
INQUIRY = "inquiry"
OPEN = ("needs_response", "warning_needs_response")
HEARD = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}
WINNING, LOSING = "winning_evidence", "losing_evidence"
TEXTS = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
]
FILES = [
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
]


def add(scope: Scope, charge: Body, *, reason: str, amount: int | None = None) -> Body:
    """Open a dispute about a charge, or an inquiry that withdraws nothing; raise StripeRefusal where there is one."""
    if charge["disputed"]:
        raise StripeRefusal(400, f"Charge {charge['id']} has been disputed already.")
    is_inquiry = reason == INQUIRY
    disputed = charges.refundable(charge) if amount is None else amount
    due_by = scope.seconds + ANSWER_WITHIN
    body: Body = {
        "id": ids.draw(tx=scope.tx, kind="dispute"),
        "object": "dispute",
        "amount": disputed,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": scope.seconds,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys((*TEXTS, *FILES)),
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": is_inquiry,
        "livemode": scope.account.is_live,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": charge["payment_method_details"]["card"]["brand"],
                "case_type": "inquiry" if is_inquiry else "chargeback",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": "general" if is_inquiry else reason,
        "status": "warning_needs_response" if is_inquiry else "needs_response",
    }
    objects.add(scope, body, due_at=due_by * 1_000)
    objects.save(scope, charge | {"disputed": True})
    events.tell(scope, "charge.dispute.created", body)
    if not is_inquiry:
        _move(scope, body, -disputed, fee=scope.account.dispute_fee)
        events.tell(scope, "charge.dispute.funds_withdrawn", body)
    return body


def answer(
    scope: Scope, dispute: Body, *, evidence: dict[str, str], metadata: Body, is_submitted: bool
) -> Body:
    """Keep evidence, and send it to the bank where it is submitted; the words of the sheet's test texts decide at once."""
    if (evidence or is_submitted) and dispute["status"] not in OPEN:
        raise StripeRefusal(400, "This dispute is already closed or under review.", code="dispute_not_open")
    dispute["evidence"] |= evidence
    dispute["metadata"] |= metadata
    details = dispute["evidence_details"]
    details["has_evidence"] = any(dispute["evidence"].values())
    if is_submitted:
        details["submission_count"] += 1
        dispute["status"] = HEARD[dispute["status"]]
        objects.wake(scope, dispute["id"], at=None)
    objects.save(scope, dispute)
    events.tell(scope, "charge.dispute.updated", dispute)
    said = dispute["evidence"]["uncategorized_text"]
    if is_submitted and said in {WINNING, LOSING}:
        return decide(scope, dispute, is_won=said == WINNING)
    return dispute


def keep_file(scope: Scope, *, name: str, kind: str, size: int, purpose: str) -> Body:
    """Keep what is known of a file that was uploaded."""
    body: Body = {
        "id": ids.draw(tx=scope.tx, kind="file"),
        "object": "file",
        "created": scope.seconds,
        "expires_at": None,
        "filename": name,
        "links": None,
        "purpose": purpose,
        "size": size,
        "title": None,
        "type": kind,
        "url": None,
    }
    return objects.add(scope, body)


def decide(scope: Scope, dispute: Body, *, is_won: bool) -> Body:
    """Let the bank say who is right; what is won comes back, the fee stays. Raises StripeRefusal where it is over."""
    if dispute["status"] in {"won", "lost", "warning_closed"}:
        raise StripeRefusal(400, "This dispute is already closed.", code="dispute_already_closed")
    is_inquiry = dispute["status"].startswith("warning")
    objects.wake(scope, dispute["id"], at=None)
    dispute["status"] = "warning_closed" if is_inquiry else "won" if is_won else "lost"
    objects.save(scope, dispute)
    if is_won and not is_inquiry:
        _move(scope, dispute, dispute["amount"], fee=0)
        events.tell(scope, "charge.dispute.funds_reinstated", dispute)
    events.tell(scope, "charge.dispute.closed", dispute)
    return dispute


def escalate(scope: Scope, dispute: Body) -> Body:
    """Let the bank make a chargeback of its inquiry: the money is withdrawn. Raises StripeRefusal for what is no inquiry."""
    if not dispute["status"].startswith("warning"):
        raise StripeRefusal(400, "This dispute is no inquiry.")
    due_by = scope.seconds + ANSWER_WITHIN
    dispute |= {"status": "needs_response", "reason": "fraudulent", "is_charge_refundable": False}
    dispute["evidence_details"]["due_by"] = due_by
    objects.wake(scope, dispute["id"], at=due_by * 1_000)
    _move(scope, dispute, -dispute["amount"], fee=scope.account.dispute_fee)
    events.tell(scope, "charge.dispute.updated", dispute)
    events.tell(scope, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(scope: Scope, dispute: Body) -> Body:
    """Give up the dispute."""
    return decide(scope, dispute, is_won=False)


def settle(scope: Scope, dispute: Body) -> None:
    """Lose what was not answered in time."""
    dispute["evidence_details"]["past_due"] = True
    decide(scope, dispute, is_won=False)


def _move(scope: Scope, dispute: Body, amount: int, *, fee: int) -> None:
    words = "Chargeback withdrawal" if amount < 0 else "Chargeback reversal"
    movement = balances.book(
        scope,
        "adjustment",
        dispute["id"],
        amount=amount,
        currency=dispute["currency"],
        fee=fee,
        description=f"{words} for {dispute['charge']}",
    )
    dispute["balance_transactions"].append(movement)
    objects.save(scope, dispute)
