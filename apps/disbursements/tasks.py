"""The jobs of disbursements: open accounts, send, ask, and the sweep that forgets none of them."""

from uuid import UUID

from celery import shared_task

from apps.disbursements.services import account_queries, sweeps, transfer_reversals, transfers
from apps.kit import clock
from apps.tenancy.services import fan_out


@shared_task(name="disbursements.follow_account")
def follow_account(*, account_id: str, **_: object) -> None:
    """Do what is due about a party's account at a provider."""
    account_queries.follow(account_id=UUID(account_id), now=clock.now())


@shared_task(name="disbursements.send_transfer")
def send_transfer(*, transfer_id: str, **_: object) -> None:
    """Tell the provider of a transfer."""
    transfers.send(transfer_id=UUID(transfer_id), now=clock.now())


@shared_task(name="disbursements.query_transfer")
def query_transfer(*, transfer_id: str, **_: object) -> None:
    """Ask after a transfer of which nobody knows."""
    transfers.query(transfer_id=UUID(transfer_id), now=clock.now())


@shared_task(name="disbursements.send_reversal")
def send_reversal(*, reversal_id: str, **_: object) -> None:
    """Have the provider take back a part of a transfer."""
    transfer_reversals.send(reversal_id=UUID(reversal_id), now=clock.now())


@shared_task(name="disbursements.query_reversal")
def query_reversal(*, reversal_id: str, **_: object) -> None:
    """Ask after a reversal of which nobody knows."""
    transfer_reversals.query(reversal_id=UUID(reversal_id), now=clock.now())


@shared_task(name="disbursements.sweep_organisation")
def sweep_organisation(*, deed: str = "", row_id: str = "", **_: object) -> None:
    """Start what is due in this organisation; with a deed and a row, do this one."""
    if deed:
        sweeps.do(deed=deed, row_id=UUID(row_id), now=clock.now())
    else:
        sweeps.run(now=clock.now())


@shared_task(name="disbursements.sweep", scope="public")
def sweep(**_: object) -> None:
    """Start the sweep of every organisation."""
    fan_out.each_working("disbursements.sweep_organisation")
