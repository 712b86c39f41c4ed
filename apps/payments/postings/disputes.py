"""What a dispute moves, as debits and credits."""

from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Draft, Leg, credit, debit
from apps.payments.models import Dispute
from apps.payments.models.dispute import Moves

SOURCE = "payment_dispute"


def drafts(dispute: Dispute, *, before: Moves) -> list[Draft]:
    """
    Book what a dispute moved since ``before``, each step once; nothing where it moved nothing.

    Withdrawn: Dr disputed payments, Dr dispute fees, Cr provider balance. Reinstated: Dr provider balance, Cr disputed payments; the
    fee stays paid unless the provider gives it back. Lost: Dr chargeback loss, Cr disputed payments, the other way about where it
    is won after all. All in the currency of our balance.
    """
    after = dispute.moves
    account, currency = dispute.provider_account, dispute.moved_currency
    balance = AccountRef(
        AccountRole.PROVIDER_BALANCE, currency, account.branch_id, owner_id=account.id, name=account.label
    )
    disputed, fees, loss = (
        AccountRef(role, currency, dispute.branch_id)
        for role in (AccountRole.DISPUTED_PAYMENTS, AccountRole.DISPUTE_FEES, AccountRole.CHARGEBACK_LOSS)
    )
    withdrawn, fee = after.withdrawn - before.withdrawn, after.fee - before.fee
    reinstated, lost = after.reinstated - before.reinstated, after.lost - before.lost
    steps = {
        "withdrawal": ((disputed, withdrawn), (fees, fee), (balance, -withdrawn - fee)),
        "reinstatement": ((balance, reinstated), (disputed, -reinstated)),
        "loss": ((loss, lost), (disputed, -lost)),
    }
    return [
        Draft(
            key=f"dispute-{step}:{dispute.id}:{dispute.bookings}",
            description=f"Dispute {dispute.ticket}: {step}",
            source_type=SOURCE,
            source_id=dispute.id,
            legs=tuple(_signed(ref, minor) for ref, minor in changes if minor),
            reference=dispute.payment_receipt,
        )
        for step, changes in steps.items()
        if any(minor for _, minor in changes)
    ]


def _signed(account: AccountRef, minor: int) -> Leg:
    money = Money(abs(minor), account.currency)
    return debit(account, money) if minor > 0 else credit(account, money)
