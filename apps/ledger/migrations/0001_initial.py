import apps.kit.models
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uid', models.UUIDField(unique=True)),
                ('code', models.CharField(max_length=24, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('role', models.CharField(choices=[('PROVIDER_BALANCE', 'Provider balance'), ('PROVIDER_FEES', 'Provider fees'), ('UNAPPLIED_COLLECTIONS', 'Unapplied collections'), ('SUSPENSE', 'Suspense')], max_length=40)),
                ('owner_id', models.UUIDField(null=True)),
                ('currency', apps.kit.models.CurrencyField()),
                ('type', models.CharField(choices=[('ASSET', 'Asset'), ('LIABILITY', 'Liability'), ('EQUITY', 'Equity'), ('INCOME', 'Income'), ('EXPENSE', 'Expense'), ('MEMO', 'Memo')], max_length=12)),
                ('normal', models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('type', 'ASSET'), ('type', 'EXPENSE'), _connector='OR'), then=models.Value(1)), default=models.Value(-1)), output_field=models.SmallIntegerField())),
                ('shards', models.SmallIntegerField()),
                ('status', models.CharField(choices=[('OPEN', 'Open'), ('FROZEN', 'Frozen'), ('CLOSED', 'Closed')], max_length=8)),
                ('opened_at', models.DateTimeField()),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('role', 'owner_id', 'branch', 'currency'), name='ledger_account_one_per_role', nulls_distinct=False),
                    models.UniqueConstraint(fields=('id', 'currency'), name='ledger_account_id_currency'),
                    models.CheckConstraint(condition=models.Q(models.Q(('role', 'PROVIDER_BALANCE'), ('type', 'ASSET')), models.Q(('role', 'UNAPPLIED_COLLECTIONS'), ('type', 'LIABILITY')), models.Q(('role', 'SUSPENSE'), ('type', 'LIABILITY')), models.Q(('role', 'PROVIDER_FEES'), ('type', 'EXPENSE')), _connector='OR'), name='ledger_account_type_of_role'),
                    models.CheckConstraint(condition=models.Q(('status', 'OPEN'), ('status', 'FROZEN'), ('status', 'CLOSED'), _connector='OR'), name='ledger_account_status'),
                    models.CheckConstraint(condition=models.Q(('shards__range', (1, 64))), name='ledger_account_shards'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Balance',
            fields=[
                ('pk', models.CompositePrimaryKey('account_id', 'shard', blank=True, editable=False, primary_key=True, serialize=False)),
                ('shard', models.SmallIntegerField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('posted_debits', apps.kit.models.MinorField()),
                ('posted_credits', apps.kit.models.MinorField()),
                ('pending_debits', apps.kit.models.MinorField()),
                ('pending_credits', apps.kit.models.MinorField()),
                ('net_floor', apps.kit.models.MinorField(null=True)),
                ('net_ceiling', apps.kit.models.MinorField(null=True)),
                ('limits_version', models.BigIntegerField()),
                ('can_debit', models.BooleanField()),
                ('can_credit', models.BooleanField()),
                ('version', models.BigIntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='balances', to='ledger.account')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('posted_credits__gte', 0), ('posted_debits__gte', 0), ('pending_credits__gte', 0), ('pending_debits__gte', 0)), name='ledger_balance_not_negative'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Book',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('functional_currency', apps.kit.models.CurrencyField()),
                ('timezone', models.CharField(max_length=64)),
                ('is_test', models.BooleanField()),
                ('closed_through', models.DateField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='ledger_book_one_row')],
            },
        ),
        migrations.CreateModel(
            name='Currency',
            fields=[
                ('code', apps.kit.models.CurrencyField(primary_key=True, serialize=False)),
                ('exponent', models.SmallIntegerField()),
                ('kind', models.CharField(choices=[('FIAT', 'fiat'), ('CRYPTO', 'crypto')], max_length=8)),
            ],
            options={
                'verbose_name_plural': 'currencies',
                'constraints': [models.CheckConstraint(condition=models.Q(('exponent__range', (0, 18))), name='ledger_currency_exponent'), models.CheckConstraint(condition=models.Q(('kind', 'FIAT'), ('kind', 'CRYPTO'), _connector='OR'), name='ledger_currency_kind')],
            },
        ),
        migrations.CreateModel(
            name='Transaction',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uid', models.UUIDField(unique=True)),
                ('idem_key', models.CharField(max_length=200, unique=True)),
                ('request_hash', models.BinaryField(max_length=32)),
                ('kind', models.CharField(choices=[('POSTING', 'Posting')], max_length=16)),
                ('effective_date', models.DateField()),
                ('event_at', models.DateTimeField(null=True)),
                ('posted_at', models.DateTimeField()),
                ('entry_count', models.SmallIntegerField()),
                ('source_type', models.CharField(max_length=40)),
                ('source_id', models.UUIDField()),
                ('reference', models.CharField(blank=True, max_length=64)),
                ('description', models.CharField(max_length=200)),
                ('created_by', models.CharField(max_length=120)),
            ],
            options={
                'indexes': [models.Index(fields=['source_id', 'source_type'], name='ledger_transaction_source')],
                'constraints': [models.CheckConstraint(condition=models.Q(('entry_count__gte', 2)), name='ledger_transaction_two_legs'), models.CheckConstraint(condition=models.Q(('kind', 'POSTING')), name='ledger_transaction_kind')],
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('pk', models.CompositePrimaryKey('transaction_id', 'seq', blank=True, editable=False, primary_key=True, serialize=False)),
                ('seq', models.SmallIntegerField()),
                ('shard', models.SmallIntegerField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('layer', models.SmallIntegerField(choices=[(0, 'posted'), (1, 'pending')])),
                ('direction', models.SmallIntegerField(choices=[(1, 'debit'), (-1, 'credit')])),
                ('amount', apps.kit.models.MinorField()),
                ('net_after', apps.kit.models.MinorField()),
                ('version', models.BigIntegerField()),
                ('effective_date', models.DateField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='ledger.account')),
                ('transaction', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='ledger.transaction')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['account', 'effective_date'], name='ledger_entry_account_date'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('account', 'shard', 'version'), name='ledger_entry_account_version'),
                    models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('layer', 0)), models.Q(('layer', 1), models.Q(('amount', 0), _negated=True)), _connector='OR'), name='ledger_entry_amount'),
                    models.CheckConstraint(condition=models.Q(('direction__in', [1, -1])), name='ledger_entry_direction'),
                ],
                'verbose_name_plural': 'entries',
            },
        ),
    ]
