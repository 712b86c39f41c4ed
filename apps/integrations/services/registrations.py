"""Registering the addresses at which an account is told of payments that come unasked."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.integrations.contracts import RegistrationStatus
from apps.integrations.models import AddressRegistration, ProviderAccount
from apps.integrations.ports import ProviderError, Registration
from apps.integrations.selectors import accounts as stored
from apps.integrations.services import hooks, providers
from apps.integrations.services.accounts import OBJECT_TYPE
from apps.kit import jobs
from apps.kit.actors import Actor

NOTICE = "c2b"
"""The kind of address at which money that has come is told."""
CHECK = "check"
"""The kind of address at which it is asked whether money may come."""
LONGEST_MESSAGE = 300
STATUSES = {
    Registration.DONE: RegistrationStatus.DONE,
    Registration.ELSEWHERE: RegistrationStatus.ELSEWHERE,
}


@transaction.atomic
def ask(*, account_id: UUID, actor: Actor, now: datetime) -> ProviderAccount:
    """Have the addresses of an account registered, after the commit; the answer becomes a row. Raises ProviderAccountMissing."""
    account = stored.get(account_id)
    records.write(
        action="provider_account.register_addresses",
        object_type=OBJECT_TYPE,
        object_id=str(account.id),
        actor=actor,
        now=now,
        changes={},
    )
    jobs.enqueue("integrations.register_addresses", account_id=account.id, asked_by=str(actor))
    return account


def register(*, account_id: UUID, asked_by: str, now: datetime) -> AddressRegistration:
    """
    Tell the provider the addresses of an account and write down what it said. It moves no money, so it may be repeated.

    Calls the provider, and refuses to do so inside a transaction.
    """
    account = stored.get(account_id)
    status, refusal = RegistrationStatus.FAILED, None
    try:
        done = providers.inbound(account.id, now=now).register(
            confirmation_url=hooks.address(token=account.callback_token, kind=NOTICE),
            validation_url=hooks.address(token=account.callback_token, kind=CHECK),
            is_accepted_by_default=account.is_accepted_by_default,
        )
    except ProviderError as error:
        refusal = error
    else:
        status = STATUSES[done]
    return AddressRegistration.objects.create(
        account=account,
        status=status.value,
        version=account.inbound_version,
        is_accepted_by_default=account.is_accepted_by_default,
        reason_code=refusal.code if refusal else "",
        message=refusal.message.replace("\x00", "")[:LONGEST_MESSAGE] if refusal else "",
        registered_by=asked_by,
        registered_at=now,
    )
