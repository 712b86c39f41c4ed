"""Merchants who are paid by transfer: connected, stopped and let go by the provider, paid what is owed to them, and paid less after all."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Min, Q

from apps.approvals.contracts import NewRule, NewStep
from apps.approvals.services import rules
from apps.disbursements.contracts import TRANSFER, TransferStatus
from apps.disbursements.models import ConnectedAccount, Transfer, TransferReversal
from apps.disbursements.models.connected_account import ASKED_STATES, LIVE_STATES
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.kit.sweep import JOB_GRACE
from apps.ledger.contracts import AccountRef, AccountRole, Draft, credit, debit
from apps.ledger.services import journals
from apps.parties.contracts import PartyKind
from tests.factories import access, parties
from tests.simulation import cards, partner
from tests.simulation.deciding import REASON
from tests.simulation.world import Asked, Broken, World

NAMES = ("Mama Njeri Supplies", "Otieno Boats")
OWED = Money(3_000_00, "KES")
"""What each merchant is owed from the start."""
LIMIT_MINOR = 1_200_00
"""Transfers from here on wait for another person."""
TRANSFERS, REVERSALS, ACCOUNTS = "/v1/transfers", "/v1/transfers/*/reversals", "/v1/accounts"
SCRIPTS: cards.Scripts = (
    (TRANSFERS, ("hang",)),
    (TRANSFERS, ({"action": "reset", "processed": True},)),
    (TRANSFERS, ({"action": "status", "processed": True}, "drop_callback")),
    (TRANSFERS, ("rate_limit",)),
    (TRANSFERS, ({"action": "result", "code": "balance_insufficient"},)),
    (REVERSALS, ("hang",)),
    (REVERSALS, ({"action": "reset", "processed": True},)),
    (REVERSALS, ({"action": "status", "processed": True},)),
    (REVERSALS, ({"action": "result", "code": "balance_insufficient"},)),
    (ACCOUNTS, ("hang",)),
    (ACCOUNTS, ({"action": "reset", "processed": True},)),
    (f"{ACCOUNTS}/*", ("html_error",)),
)
SAID = (*["finish"] * 6, "restrict", "restrict", "close", "leave")
"""What becomes of an account at the provider: mostly its owner has told everything."""


def furnish(world: World) -> None:
    """Make the merchants, owe each of them something, and have other people asked about larger transfers."""
    branch = access.branch()
    step = NewStep(roles=("approver",))
    rule = NewRule(kind=TRANSFER.name, currency=OWED.currency, minimum_minor=LIMIT_MINOR, steps=(step,))
    rules.create(rule=rule, actor=SYSTEM, now=world.now)
    for name in NAMES:
        party = parties.party(kind=PartyKind.MERCHANT, display_name=name, branch_id=branch.id, contacts=())
        key = f"owed:{party.id}"
        sales = AccountRef(AccountRole.UNAPPLIED_COLLECTIONS, OWED.currency, branch.id)
        legs = (debit(sales, OWED), credit(_owed_to(party.id, branch.id), OWED))
        draft = Draft(key=key, description="Sales", source_type="sale", source_id=party.id, legs=legs)
        journals.post(draft=draft, actor=SYSTEM, now=world.now)
        world.merchants[party.id] = key


def _owed_to(party_id: UUID, branch_id: UUID) -> AccountRef:
    return AccountRef(AccountRole.MERCHANT_PAYABLE, OWED.currency, branch_id, owner_id=party_id)


def connect(world: World) -> str | None:
    """Have the provider open an account for a merchant who has none."""
    live = ConnectedAccount.objects.filter(status__in=LIVE_STATES).values_list("party_id", flat=True)
    without = [party_id for party_id in world.merchants if party_id not in set(live)]
    if not without:
        return None
    party = ids.encode("pty", world.rng.choice(without))
    page = "https://shop.example.com/connected"
    body = {"party_id": party, "currency": OWED.currency, "country": "KE", "return_url": page}
    return f"{party} -> {_ask(world, '/connected-accounts', body)}"


def tell_provider(world: World) -> str | None:
    """Let a merchant tell the provider what it asks, or the provider stop his account, or one of them end it."""
    found = cards.listed(world, "accounts")
    if not found:
        return None
    ticket, deed = world.rng.choice(found)["id"], world.rng.choice(SAID)
    return f"{ticket} {deed}: {cards.act(world, 'accounts', ticket, deed)}"


def finish_every_account(world: World) -> None:
    """Let every merchant tell the provider all that it asks."""
    for one in cards.listed(world, "accounts"):
        cards.act(world, "accounts", one["id"], "finish")


def transfer(world: World) -> str | None:
    """Pay a merchant what is owed to him, a part of it, or try to pay more than that."""
    enabled = list(ConnectedAccount.objects.filter(status="ENABLED").order_by("id"))
    if not enabled:
        return None
    account = world.rng.choice(enabled)
    minor = world.rng.choice((world.rng.randrange(1, OWED.minor // 3), OWED.minor // 2, OWED.minor))
    body = {
        "connected_account_id": ids.encode("ca", account.id),
        "amount": Money(minor, OWED.currency).wire(),
        "branch_id": ids.encode("br", account.branch_id),
        "reference": f"WEEK-{world.next_number()}",
    }
    return f"{json.dumps(body)} -> {_ask(world, '/transfers', body)}"


def reverse(world: World) -> str | None:
    """Take a transfer back, whole or a part of it, or more than is left of it."""
    made = list(Transfer.objects.filter(status=TransferStatus.SUCCEEDED).order_by("id"))
    if not made:
        return None
    chosen = world.rng.choice(made)
    body: dict[str, Any] = {"reason": REASON}
    if world.chance(0.6):
        body["amount"] = Money(max(chosen.amount_minor // 3, 1), chosen.currency).wire()
    path = f"/transfers/{ids.encode('tr', chosen.id)}/reverse"
    return f"{chosen} {json.dumps(body)} -> {_ask(world, path, body)}"


def script_fault(world: World) -> str:
    """Let a call about merchants, or what is told of it, go wrong."""
    return cards.spoil(world, SCRIPTS, face="stripe", what="transfer")


def ask_after_accounts(world: World) -> None:
    """What no message told of an account is found when it is asked about."""
    told = standings(world)
    for account in ConnectedAccount.objects.filter(status__in=LIVE_STATES).order_by("id"):
        if account.status != told.get(account.ticket, "RESTRICTED"):
            _ask(world, f"/connected-accounts/{ids.encode('ca', account.id)}/refresh", {})


def waiting() -> dict[str, datetime | None]:
    """Return what waits for its time, and for which."""
    times = {
        "request": Min("next_request_at") + JOB_GRACE,
        "query": Min("next_query_at", filter=Q(status=TransferStatus.UNKNOWN)),
        "sending": Min("sent_at", filter=Q(status=TransferStatus.SENDING)),
    }
    asked = ConnectedAccount.objects.filter(status__in=ASKED_STATES)
    found: dict[str, datetime | None] = asked.aggregate(account=Min("next_query_at"))
    for model in (Transfer, TransferReversal):
        told = model.objects.aggregate(**times)
        found |= {f"{model.__name__} {name}": at for name, at in told.items()}
    return found


def standings(world: World) -> dict[str, str]:
    """Return how each account stands at the provider, as we call it; one that its owner took away is missing."""
    return {one["id"]: _standing(one) for one in cards.listed(world, "accounts")}


def _standing(one: dict[str, Any]) -> str:
    if str(one["requirements"]["disabled_reason"]).startswith("rejected."):
        return "CLOSED"
    if one["capabilities"]["transfers"] == "active":
        return "ENABLED"
    return "RESTRICTED" if one["details_submitted"] else "PENDING"


def _ask(world: World, path: str, body: dict[str, Any]) -> int:
    reply = partner.send(world, Asked(path, body, partner.new_key(world)))
    if reply.status == 404:
        raise Broken(f"{path} cannot be found")
    return reply.status
