"""Accounts and their balances."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import ClassVar

from django.db import models
from django.db.models import Case, F, Q, Sum, Value, When

from apps.kit.models import CurrencyField, MinorField, one_of
from apps.ledger.contracts import CHART, AccountRef, AccountRole, AccountStatus, AccountType, OwnerType
from apps.ledger.models.chart_line import SHARDS_MAX, ChartLine
from apps.ledger.models.read_only import LedgerModel, ReadOnlyQuerySet, choices


class AccountQuerySet(ReadOnlyQuerySet):
    def matching(self, refs: Iterable[AccountRef]) -> "AccountQuerySet":
        """The accounts that any of ``refs`` names; ``refs`` is not empty."""
        return self.filter(
            reduce(
                or_,
                (
                    Q(role=ref.role, owner_id=ref.owner_id, branch_id=ref.branch_id, currency=ref.currency)
                    if ref.owner_id
                    else Q(
                        role=ref.role, owner_id__isnull=True, branch_id=ref.branch_id, currency=ref.currency
                    )
                    for ref in refs
                ),
            )
        )

    def with_net(self) -> "AccountQuerySet":
        """Adds ``net``: posted debits less posted credits in minor units, over all shards."""
        net = Sum(F("balances__posted_debits") - F("balances__posted_credits"), output_field=MinorField())
        return self.annotate(net=net)


AccountManager = models.Manager.from_queryset(AccountQuerySet)


class Account(LedgerModel):
    """
    One account of one branch in one currency.

    There is one per role, owner, branch and currency. ``code`` is its number and ``line`` its place in the chart; ``normal``
    is +1 where debits increase it (assets, expenses) and -1 elsewhere. Line, currency, type and shards never change.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True)
    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=120)
    line = models.ForeignKey(ChartLine, on_delete=models.PROTECT, related_name="accounts")
    role = models.CharField(max_length=40, choices=choices(AccountRole))
    owner_type = models.CharField(max_length=12, choices=choices(OwnerType))
    owner_id = models.UUIDField(null=True)
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()
    type = models.CharField(max_length=12, choices=choices(AccountType))
    normal = models.GeneratedField(
        expression=Case(
            When(one_of("type", [AccountType.ASSET, AccountType.EXPENSE]), then=Value(1)), default=Value(-1)
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    shards = models.SmallIntegerField()
    status = models.CharField(max_length=8, choices=choices(AccountStatus))
    opened_at = models.DateTimeField()

    objects: ClassVar = AccountManager()
    net: int  # read by with_net()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role", "owner_id", "branch", "currency"],
                name="ledger_account_one_per_role",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(fields=["id", "currency"], name="ledger_account_id_currency"),
            models.CheckConstraint(
                condition=reduce(
                    or_,
                    (Q(role=role.value, type=line.type.value) for role, line in CHART.items()),
                    Q(role=AccountRole.GENERAL.value, owner_id__isnull=False),
                ),
                name="ledger_account_type_of_role",
            ),
            models.CheckConstraint(
                condition=one_of("owner_type", OwnerType), name="ledger_account_owner_type"
            ),
            models.CheckConstraint(condition=one_of("type", AccountType), name="ledger_account_type"),
            models.CheckConstraint(
                condition=one_of("status", AccountStatus),
                name="ledger_account_status",
            ),
            models.CheckConstraint(condition=Q(shards__range=(1, SHARDS_MAX)), name="ledger_account_shards"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def ref(self) -> AccountRef:
        return AccountRef(AccountRole(self.role), self.currency, self.branch_id, self.owner_id)


class Balance(LedgerModel):
    """
    The running totals of one shard of an account.

    Limits bind the net (debits less credits): it may not be moved below ``net_floor`` nor above ``net_ceiling``.
    ``version`` counts the entries, ``limits_version`` is its value when the limits were last set.
    """

    pk = models.CompositePrimaryKey("account_id", "shard")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="balances", db_constraint=False, db_index=False
    )
    shard = models.SmallIntegerField()
    currency = CurrencyField()
    posted_debits = MinorField()
    posted_credits = MinorField()
    pending_debits = MinorField()
    pending_credits = MinorField()
    net_floor = MinorField(null=True)
    net_ceiling = MinorField(null=True)
    limits_version = models.BigIntegerField()
    can_debit = models.BooleanField()
    can_credit = models.BooleanField()
    version = models.BigIntegerField()

    def __str__(self) -> str:
        return f"balance {self.account_id}.{self.shard}"
