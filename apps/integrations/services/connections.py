"""Connections: whether an account's address and secrets are right, before a payer is asked for anything."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.integrations.contracts import ConnectionFact
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import ProviderError
from apps.integrations.selectors import accounts as stored
from apps.integrations.services import providers
from apps.integrations.services.accounts import OBJECT_TYPE
from apps.kit import crypto
from apps.kit.actors import Actor
from apps.kit.rooms import ROOM, RoomFull

SEALED = "configuration"
"""What is wrong where our own secrets cannot be opened."""


def check(*, account_id: UUID, actor: Actor, now: datetime) -> ConnectionFact:
    """
    Sign in at the provider with an account's present secrets, and say what came of it. It moves no money.

    Calls the provider, and refuses to do so inside a transaction; who asks waits for the answer. Raises
    ProviderAccountMissing, and RoomFull while too many wait.
    """
    account = stored.get(account_id)
    fact = ConnectionFact()
    try:
        with ROOM.place(at_least=1) as has_place:
            if not has_place:
                raise RoomFull("Others wait for an answer of a provider. Try again in a few seconds.")
            providers.connection(account.id, now=now).check()
    except ProviderError as error:
        fact = ConnectionFact(error.code, error.message, error.provider_code)
    except crypto.Unreadable:
        fact = ConnectionFact(SEALED, "The account's credentials cannot be opened.")
    _record(account, fact, actor, now)
    return fact


@transaction.atomic
def _record(account: ProviderAccount, fact: ConnectionFact, actor: Actor, now: datetime) -> None:
    records.write(
        action="provider_account.tested",
        object_type=OBJECT_TYPE,
        object_id=str(account.id),
        actor=actor,
        now=now,
        changes={"connection": [None, fact.code or "well"]},
    )
