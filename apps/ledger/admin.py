"""Accounts and transactions in the organisation's admin: to read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.kit.admin import ReadOnlyAdmin, amount_html, badge, local_time_html
from apps.kit.money import Money
from apps.kit.related_filter import VisibleRelatedFilter
from apps.ledger.contracts import AccountStatus
from apps.ledger.models import Account, Transaction
from apps.ledger.selectors import accounts, transactions

BADGES = {
    AccountStatus.OPEN: ("done", "check_circle", _("Open")),
    AccountStatus.FROZEN: ("held", "ac_unit", _("Frozen")),
    AccountStatus.CLOSED: ("quiet", "lock", _("Closed")),
}


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Accounts of the reader's branches with their balances on the normal side."""

    list_display = ["code", "name", "branch", "currency", "balance", "state"]
    list_filter = ["type", "role", "currency", ("branch", VisibleRelatedFilter)]
    search_fields = ["code", "name"]
    list_select_related = ["branch"]
    fields = ["code", "name", "role", "branch", "currency", "type", "balance", "state", "opened_at", "uid"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return accounts.visible_to(request.user).with_net()

    @admin.display(description=_("Balance"))
    def balance(self, account: Account) -> SafeString:
        return amount_html(Money(account.net * account.normal, account.currency))

    @admin.display(description=_("Status"))
    def state(self, account: Account) -> SafeString:
        return badge(*BADGES[AccountStatus(account.status)])


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """Transactions that touch the reader's branches."""

    list_display = ["label", "posted", "description", "reference", "source_type", "effective_date"]
    list_filter = ["kind", "source_type"]
    search_fields = ["reference", "description"]
    fields = [
        "label", "kind", "description", "reference", "effective_date", "event_at", "posted", "source_type",
        "source_id", "created_by", "idem_key", "uid",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        return transactions.visible_to(request.user)

    @admin.display(description=_("Number"))
    def label(self, transaction: Transaction) -> str:
        return transaction.number

    @admin.display(description=_("Posted"))
    def posted(self, transaction: Transaction) -> SafeString:
        return local_time_html(transaction.posted_at)
