"""The ledger's entries as an export: every leg with its transaction and account; debits and credits are totalled."""

from django.db.models import Case, F, QuerySet, When
from django.utils.translation import gettext_lazy as _

from apps.jobs.contracts import Choice, Column, Reach, Source, ValueKind, declare_source
from apps.kit.models import MinorField
from apps.ledger.contracts import AccountRole, Direction, Layer
from apps.ledger.models import Entry


def _rows(reach: Reach) -> QuerySet[Entry]:
    """What was posted. Of a branch: on its accounts, which need not balance by themselves."""
    entries = Entry.objects.filter(layer=Layer.POSTED.value)
    if reach.branch_ids is not None:
        entries = entries.filter(account__branch_id__in=reach.branch_ids)
    sides = {
        "debit": Case(When(direction=Direction.DEBIT, then=F("amount")), output_field=MinorField()),
        "credit": Case(When(direction=Direction.CREDIT, then=F("amount")), output_field=MinorField()),
    }
    return entries.annotate(**sides).order_by("transaction_id", "seq")


def _number(transaction_id: int) -> str:
    return f"LT-{transaction_id:07d}"


LEDGER_ENTRIES = declare_source(
    Source(
        name="ledger_entries",
        title=_("Ledger entries"),
        permission="ledger.view",
        scope="",
        columns=(
            Column(_("Effective date"), "effective_date", ValueKind.DATE),
            Column(_("Posted"), "transaction__posted_at", ValueKind.INSTANT),
            Column(_("Transaction"), "transaction_id", shown=_number),
            Column(_("Line"), "seq", ValueKind.COUNT),
            Column(_("Account"), "account__code"),
            Column(_("Account name"), "account__name"),
            Column(_("Branch"), "account__branch__name"),
            Column(_("Description"), "transaction__description"),
            Column(_("Reference"), "transaction__reference"),
            Column(_("Debit"), "debit", ValueKind.MONEY, "currency"),
            Column(_("Credit"), "credit", ValueKind.MONEY, "currency"),
        ),
        rows=_rows,
        branch_field="account__branch_id",
        day_field="effective_date",
        is_day_an_instant=False,
        choices=(
            Choice(
                "role",
                _("Account role"),
                "account__role",
                {role.value: role.replace("_", " ").capitalize() for role in AccountRole},
            ),
        ),
        list_names={"role": "role", "branch": "branch_id", "as_of": "to_date"},
    )
)
