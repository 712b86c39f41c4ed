"""What a dispute moves, as debits and credits."""

from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Draft, Leg, credit, debit
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt
from apps.payments.models.disputed_money import Moves

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


def cover(dispute: Dispute, held: InboundReceipt | PaymentAttempt) -> Draft:
    """
    Take money that a lost dispute took out of suspense, where it is still owed: Dr suspense of the branch that holds it, Cr
    chargeback loss of the dispute's. In the currency that came; no money moves.
    """
    return _of_cover(dispute, "dispute-cover", "taken from suspense", held, dispute.covered)


def uncover(dispute: Dispute, held: InboundReceipt | PaymentAttempt, money: Money) -> Draft:
    """Owe in suspense again what a dispute had taken from there: the opposite of ``cover``."""
    return _of_cover(dispute, "dispute-cover-return", "in suspense again", held, -money)


def _of_cover(
    dispute: Dispute, key: str, said: str, held: InboundReceipt | PaymentAttempt, money: Money
) -> Draft:
    suspense = AccountRef(AccountRole.SUSPENSE, money.currency, held.branch_id)
    loss = AccountRef(AccountRole.CHARGEBACK_LOSS, money.currency, dispute.branch_id)
    return Draft(
        key=f"{key}:{dispute.id}:{dispute.bookings}",
        description=f"Dispute {dispute.ticket}: {said}",
        source_type=SOURCE,
        source_id=dispute.id,
        legs=(_signed(suspense, money.minor), _signed(loss, -money.minor)),
        reference=dispute.payment_receipt,
    )


def _signed(account: AccountRef, minor: int) -> Leg:
    money = Money(abs(minor), account.currency)
    return debit(account, money) if minor > 0 else credit(account, money)
