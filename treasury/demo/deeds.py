"""What is done in the story: each deed is a call of a service, by whoever does it, at the instant that it is given."""

from datetime import datetime, timedelta
from itertools import cycle
from uuid import UUID

from apps.approvals.selectors import requests as approvals_asked
from apps.approvals.services import requests as approvals
from apps.integrations.services import callbacks
from apps.jobs.contracts import FileFormat, NewExport
from apps.jobs.services import exports
from apps.payments.contracts import REFUND, Choice, Method, NewIntent
from apps.payments.selectors import attempts as known_attempts
from apps.payments.selectors import disputes as known_disputes
from apps.payments.selectors import intents as known_intents
from apps.payments.selectors import refunds as known_refunds
from apps.payments.services import dispute_answers, dispute_evidence, intents, refunds, sweeps
from treasury.demo import control, organisation, story
from treasury.demo.endings import OPEN_AT_FIRST, PLANS, Ending
from treasury.demo.organisation import House
from treasury.demo.people import APPROVER, CONTROLLER, OFFICER, OWNER
from treasury.demo.story import Order, Return

EXPORTED = timedelta(days=7)
SIGNED = "The guest signed the bill at the table; the waiter knows him."
GATES = tuple(f"127.0.0.{number}" for number in range(11, 19))
"""Where callbacks come from: several, because one may send 600 in a minute of the computer's time."""


class Deeds:
    """The deeds of the people and programs of one house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.gates = cycle(GATES)

    def ask(self, order: Order, *, now: datetime) -> None:
        """Ask for the money of an order at a till, after the simulator has been told how it ends."""
        plan = PLANS.get(order.ending)
        if plan and plan.actions:
            actions = list(plan.actions)
            if order.ending is Ending.WRONG_SUM:
                actions.append({"action": "wrong_amount", "amount": story.wrong_sum(order).text})
            control.script(phone=order.customer.phone, actions=actions)
        by_card = bool(plan and plan.card)
        request = NewIntent(
            money=order.money,
            branch_id=self.house.branches[order.branch],
            application_id=self.house.application_id,
            choice=_by_card(order) if by_card else _by_phone(order),
            reference=order.reference,
            description=order.description,
            is_confirmed=order.ending not in OPEN_AT_FIRST,
            is_captured=order.ending is not Ending.CARD_HELD,
        )
        intents.create(request=request, actor=self.house.till, now=now)

    def take_callbacks(self, *, now: datetime) -> None:
        """Let in the callbacks that are due."""
        for callback in control.take_callbacks():
            callbacks.store(
                token=callback.token,
                kind=callback.kind,
                body=callback.body,
                headers={"content-type": "application/json", **callback.headers},
                remote_ip=next(self.gates),
                now=now,
            )

    def use_card(self, order: Order, *, now: datetime) -> None:  # noqa: ARG002 (the simulator's clock stands at now)
        """Let the payer use his card on the page that he was sent to."""
        page, _ = self._attempt(order)
        control.use_card(page, PLANS[order.ending].card)

    def dispute(self, order: Order, *, now: datetime) -> None:  # noqa: ARG002 (as above)
        """Let the holder of the card take an order back at his bank."""
        _, charge = self._attempt(order)
        control.dispute(charge)

    def answer(self, order: Order, *, now: datetime) -> None:
        """Say what is known of a disputed order, once and for all."""
        dispute_id, _ = self._dispute(order)
        officer = self.house.actor(OFFICER)
        texts = {"product": order.description, "customer_name": order.customer.name, "text": SIGNED}
        dispute_evidence.write(dispute_id=dispute_id, texts=texts, actor=officer, now=now)
        dispute_answers.submit(dispute_id=dispute_id, actor=officer, now=now)

    def win(self, order: Order, *, now: datetime) -> None:  # noqa: ARG002 (as above)
        _, ticket = self._dispute(order)
        control.win(ticket)

    def sweep(self, *, now: datetime) -> None:
        sweeps.run(now=now)

    def confirm(self, order: Order, *, now: datetime) -> None:
        intents.confirm(intent_id=self._id(order), actor=self.house.actor(OFFICER), now=now)

    def cancel(self, order: Order, *, now: datetime) -> None:
        intents.cancel(intent_id=self._id(order), actor=self.house.actor(OFFICER), now=now)

    def verify(self, order: Order, *, now: datetime) -> None:
        """Ask about the receipt that the payer shows."""
        receipt = control.receipt_of(order.customer.phone)
        intents.verify(
            intent_id=self._id(order), receipt=receipt, actor=self.house.actor(CONTROLLER), now=now
        )

    def give_back(self, returned: Return, *, now: datetime) -> None:
        """Ask for a refund of the whole order."""
        refunds.create(
            intent_id=self._id(returned.order),
            money=None,
            reason=returned.reason,
            actor=self.house.actor(OFFICER),
            now=now,
        )

    def approve(self, returned: Return, *, now: datetime) -> None:
        """Approve a refund, the owner after the approver where it is a large one; nothing where no rule asks for it."""
        for person in (APPROVER, OWNER):
            waiting = self._waiting(returned)
            if waiting is not None:
                actor = self.house.actor(person)
                approvals.approve(request_id=waiting[0], payload_hash=waiting[1], actor=actor, now=now)

    def refuse(self, returned: Return, *, now: datetime) -> None:
        """Refuse a refund that waits."""
        waiting = self._waiting(returned)
        if waiting is not None:
            approvals.refuse(
                request_id=waiting[0],
                payload_hash=waiting[1],
                reason="The guests ate and stayed: a voucher was agreed.",
                actor=self.house.actor(APPROVER),
                now=now,
            )

    def export(self, *, now: datetime) -> None:
        """Take the payments of the last week away as a file."""
        exports.start(
            request=NewExport("payments", FileFormat.XLSX, from_date=(now - EXPORTED).date()),
            caller=self.house.users[CONTROLLER.role],
            actor=self.house.actor(CONTROLLER),
            now=now,
        )

    def connect_inbox(self, *, now: datetime) -> None:
        organisation.connect_inbox(application_id=self.house.application_id, now=now)

    def _id(self, order: Order) -> UUID:
        return known_intents.visible_to(self.house.owner).get(reference=order.reference).id

    def _attempt(self, order: Order) -> tuple[str, str]:
        """Return the provider's handle of what was asked of the payer, and the receipt of what he paid."""
        tried = known_attempts.of_intent(self._id(order))
        return tried.values_list("ticket", "provider_receipt").get()

    def _dispute(self, order: Order) -> tuple[UUID, str]:
        """Return the dispute of an order, and the provider's handle of it."""
        known = known_disputes.visible_to(self.house.owner)
        return known.values_list("id", "ticket").get(intent_id=self._id(order))

    def _waiting(self, returned: Return) -> tuple[UUID, str] | None:
        """Return the request for approval of a refund and the hash of what it asks, while it waits."""
        refund = known_refunds.of_intent(self._id(returned.order)).first()
        if refund is None:
            return None
        request = approvals_asked.pending_of(kind=REFUND.name, subject_id=refund.id)
        return None if request is None else (request.id, request.payload_hash)


def _by_phone(order: Order) -> Choice:
    return Choice(Method.MPESA, order.customer.phone, order.customer.name)


def _by_card(order: Order) -> Choice:
    return Choice(Method.CARD, payer_name=order.customer.name, email=order.customer.email)
