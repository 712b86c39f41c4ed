"""Evidence of last resort: a movement that a provider lists is money that arrived, whoever told of it before."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.integrations.ports import InboundReport, StatementRow
from apps.kit import logs
from apps.kit.actors import PROVIDER
from apps.payments.contracts import InboundSource
from apps.payments.contracts.listed import ListedMatter
from apps.payments.models import InboundReceipt
from apps.payments.services import inbound_receipts, listed_movements
from apps.payments.services.inbound_receipts import ArrivedElsewhere
from apps.payments.services.reports import MoneyUnexplained, ReportContradicts

logger = logs.get(__name__)


@transaction.atomic
def take(*, account_id: UUID, row: StatementRow, now: datetime) -> InboundReceipt | None:
    """
    Record a row of a list as money that arrived; see ``inbound_receipts.record``. Its time may lie about its zone, so it
    is not taken over.

    None for a row that contradicts what is known of its receipt: it is logged, books nothing, and is for people where
    the receipt is booked. One whose receipt is known at an account that is another one at the provider is kept for them as a
    listed movement of nobody's: the list moves on, and what is in no book must be seen.
    """
    notice = InboundReport(
        receipt=row.receipt,
        money=row.money,
        reference=row.reference,
        payer=row.payer,
        kind=row.kind,
    )
    try:
        _, inbound = inbound_receipts.record(
            account_id=account_id,
            notice=notice,
            phone="",
            source=InboundSource.PULL,
            actor=PROVIDER,
            now=now,
        )
    except ReportContradicts as contradiction:
        if isinstance(contradiction, MoneyUnexplained):
            inbound_receipts.call_for_people(account_id=account_id, receipt=row.receipt, now=now)
        _leave(account_id, row, contradiction, now=now)
        return None
    return inbound


def _leave(account_id: UUID, row: StatementRow, contradiction: ReportContradicts, *, now: datetime) -> None:
    if isinstance(contradiction, ArrivedElsewhere):
        listed_movements.keep(account_id, row, ListedMatter.NOBODYS, now=now)
        logger.error("pulled_row_known_elsewhere", account_id=str(account_id), receipt=row.receipt)
        return
    logger.warning("pulled_row_contradicts", account_id=str(account_id), note=contradiction.detail)
