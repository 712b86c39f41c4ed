"""The jobs of payments: send, query, ask about a receipt, give back, and the sweep that forgets none of them."""

from uuid import UUID

from celery import shared_task
from django.utils.translation import gettext_lazy

from apps.jobs.contracts import declare
from apps.kit import clock
from apps.payments.services import (
    bulks,
    confirmations,
    dispute_answers,
    dispute_queries,
    intents,
    pulls,
    receipts,
    refunds,
    routing_trials,
    setups,
    sweeps,
)
from apps.tenancy.services import fan_out

declare(kind=bulks.KIND, title=gettext_lazy("Payments in bulk"), runner="apps.payments.services.bulks.run")
declare(
    kind=routing_trials.KIND,
    title=gettext_lazy("Dry run of routing"),
    runner="apps.payments.services.routing_trials.run",
    is_atomic=False,
)


@shared_task(name="payments.request_collection")
def request_collection(*, intent_id: str, **_: object) -> None:
    """Ask the provider for the money of a confirmed intent."""
    intents.request(intent_id=UUID(intent_id), now=clock.now())


@shared_task(name="payments.query_attempt")
def query_attempt(*, attempt_id: str, **_: object) -> None:
    """Ask the provider about an attempt whose callback has not come."""
    intents.query(attempt_id=UUID(attempt_id), now=clock.now())


@shared_task(name="payments.order_attempt")
def order_attempt(*, attempt_id: str, **_: object) -> None:
    """Have the provider take what a payer authorised, or let go what is open."""
    intents.carry_out(attempt_id=UUID(attempt_id), now=clock.now())


@shared_task(name="payments.request_status")
def request_status(*, attempt_id: str, **_: object) -> None:
    """Ask the provider about the receipt that a person claimed."""
    receipts.ask(attempt_id=UUID(attempt_id), now=clock.now())


@shared_task(name="payments.request_refund")
def request_refund(*, refund_id: str, **_: object) -> None:
    """Ask the provider to give a payment back."""
    refunds.request(refund_id=UUID(refund_id), now=clock.now())


@shared_task(name="payments.query_refund")
def query_refund(*, refund_id: str, **_: object) -> None:
    """Ask the provider about a refund whose result has not come."""
    refunds.query(refund_id=UUID(refund_id), now=clock.now())


@shared_task(name="payments.request_refund_status")
def request_refund_status(*, refund_id: str, **_: object) -> None:
    """Ask the provider about the receipt that a person claimed for a refund."""
    refunds.ask(refund_id=UUID(refund_id), now=clock.now())


@shared_task(name="payments.read_dispute")
def read_dispute(*, account_id: str, ticket: str, **_: object) -> None:
    """Ask the provider about a dispute that it told of."""
    dispute_queries.read(account_id=UUID(account_id), ticket=ticket, now=clock.now())


@shared_task(name="payments.query_dispute")
def query_dispute(*, dispute_id: str, **_: object) -> None:
    """Ask the provider how a dispute stands."""
    dispute_queries.query(dispute_id=UUID(dispute_id), now=clock.now())


@shared_task(name="payments.answer_dispute")
def answer_dispute(*, dispute_id: str, **_: object) -> None:
    """Tell the provider what we say to a dispute."""
    dispute_answers.send(dispute_id=UUID(dispute_id), now=clock.now())


@shared_task(name="payments.list_disputes_organisation")
def list_disputes_organisation(*, account_id: str = "", **_: object) -> None:
    """Start the reading of every account's list of disputes; with an account, read this one."""
    if account_id:
        dispute_queries.read_list(account_id=UUID(account_id), now=clock.now())
    else:
        dispute_queries.run()


@shared_task(name="payments.list_disputes", scope="public")
def list_disputes(**_: object) -> None:
    """Start the readings of every organisation."""
    fan_out.each_working("payments.list_disputes_organisation")


@shared_task(name="payments.follow_method")
def follow_method(*, method_id: str, **_: object) -> None:
    """Do what is due about a way to pay that a payer may let us keep."""
    setups.follow(method_id=UUID(method_id), now=clock.now())


@shared_task(name="payments.confirm_money")
def confirm_money(*, inbound_id: str, **_: object) -> None:
    """Ask the provider about money that came unasked and must be confirmed."""
    confirmations.ask(inbound_id=UUID(inbound_id), now=clock.now())


@shared_task(name="payments.sweep_organisation")
def sweep_organisation(*, deed: str = "", row_id: str = "", **_: object) -> None:
    """Start what is due in this organisation; with a deed and a row, do this one."""
    if deed:
        sweeps.do(deed=deed, row_id=UUID(row_id), now=clock.now())
    else:
        sweeps.run(now=clock.now())


@shared_task(name="payments.sweep", scope="public")
def sweep(**_: object) -> None:
    """Start the sweep of every organisation."""
    fan_out.each_working("payments.sweep_organisation")


@shared_task(name="payments.pull_organisation")
def pull_organisation(*, account_id: str = "", **_: object) -> None:
    """Start the reading of every account whose movements are listed; with an account, read this one."""
    if account_id:
        pulls.pull(account_id=UUID(account_id), clock=clock.now)
    else:
        pulls.run()


@shared_task(name="payments.pull", scope="public")
def pull(**_: object) -> None:
    """Start the readings of every organisation."""
    fan_out.each_working("payments.pull_organisation")
