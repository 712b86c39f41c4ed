"""The jobs of integrations: tell a provider our addresses, ask what it holds."""

from uuid import UUID

from celery import shared_task
from django.utils.translation import gettext_lazy

from apps.integrations.services import balances, registrations, replays
from apps.jobs.contracts import declare
from apps.kit import clock
from apps.tenancy.services import fan_out

declare(
    kind=replays.KIND,
    title=gettext_lazy("Replay of callbacks"),
    runner="apps.integrations.services.replays.run",
)


@shared_task(name="integrations.register_addresses")
def register_addresses(*, account_id: str, asked_by: str, **_: object) -> None:
    """Tell the provider at which addresses an account is told of payments that come unasked."""
    registrations.register(account_id=UUID(account_id), asked_by=asked_by, now=clock.now())


@shared_task(name="integrations.ask_balance")
def ask_balance(*, account_id: str, **_: object) -> None:
    """Ask the provider what it holds in an account."""
    balances.request(account_id=UUID(account_id), now=clock.now())


@shared_task(name="integrations.watch_balances_organisation")
def watch_balances_organisation(**_: object) -> None:
    """Start the question of every account whose balance is watched."""
    balances.watch()


@shared_task(name="integrations.watch_balances", scope="public")
def watch_balances(**_: object) -> None:
    """Start the questions of every organisation."""
    fan_out.each_working("integrations.watch_balances_organisation")
