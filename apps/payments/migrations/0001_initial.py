"""Tables of payments, and the triggers that guard their final states."""

from pathlib import Path

import apps.kit.ids
import django.contrib.postgres.fields
import apps.kit.models
import django.db.models.deletion
import django_fsm
from django.db import migrations, models


GUARDS = Path(__file__).resolve().parent.parent / "sql" / "guards.sql"


def install_guards(apps, schema_editor):
    connection = schema_editor.connection
    schema = connection.ops.quote_name(connection.schema_name)
    schema_editor.execute(GUARDS.read_text().replace("{s}", schema), params=None)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
        ('integrations', '0001_initial'),
        ('jobs', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='PaymentIntent',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('status', django_fsm.FSMField(choices=[('REQUIRES_METHOD', 'REQUIRES_METHOD'), ('REQUIRES_CONFIRMATION', 'REQUIRES_CONFIRMATION'), ('PROCESSING', 'PROCESSING'), ('ACTION_REQUIRED', 'ACTION_REQUIRED'), ('REQUIRES_CAPTURE', 'REQUIRES_CAPTURE'), ('UNKNOWN', 'UNKNOWN'), ('SUCCEEDED', 'SUCCEEDED'), ('PARTIALLY_PAID', 'PARTIALLY_PAID'), ('IN_REVIEW', 'IN_REVIEW'), ('FAILED', 'FAILED'), ('CANCELLED', 'CANCELLED'), ('EXPIRED', 'EXPIRED')], default='REQUIRES_METHOD', max_length=24, protected=True)),
                ('code', models.CharField(max_length=10, unique=True)),
                ('amount_minor', apps.kit.models.MinorField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('method', models.CharField(blank=True, choices=[('MPESA', 'MPESA')], max_length=20)),
                ('payer_phone', models.CharField(blank=True, max_length=16)),
                ('payer_name', models.CharField(blank=True, max_length=120)),
                ('reference', models.CharField(blank=True, max_length=64)),
                ('payable_type', models.CharField(blank=True, max_length=40)),
                ('payable_id', models.CharField(blank=True, max_length=64)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('metadata', models.JSONField(default=dict)),
                ('next_request_at', models.DateTimeField(null=True)),
                ('failure_code', models.CharField(blank=True, max_length=60)),
                ('failure_message', models.CharField(blank=True, max_length=300)),
                ('is_late', models.BooleanField(default=False)),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('cancel_requested_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
            ],
            options={
                'indexes': [models.Index(fields=['branch', '-id'], name='intent_by_branch'), models.Index(fields=['status', '-id'], name='intent_by_status'), models.Index(fields=['created_at'], name='intent_by_created'), models.Index(fields=['payer_phone', '-id'], name='intent_by_phone'), models.Index(condition=models.Q(('reference', ''), _negated=True), fields=['reference'], name='intent_by_reference'), models.Index(condition=models.Q(('payable_id', ''), _negated=True), fields=['payable_id', 'payable_type'], name='intent_by_payable'), models.Index(condition=models.Q(('next_request_at__isnull', False)), fields=['next_request_at'], name='intent_request_due'), models.Index(condition=models.Q(('status__in', ['REQUIRES_METHOD', 'REQUIRES_CONFIRMATION'])), fields=['expires_at'], name='intent_expiry_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='intent_amount_positive'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', False), ('status__in', ['SUCCEEDED', 'PARTIALLY_PAID', 'IN_REVIEW'])), models.Q(models.Q(('status__in', ['SUCCEEDED', 'PARTIALLY_PAID', 'IN_REVIEW']), _negated=True), ('settled_at__isnull', True)), _connector='OR'), name='intent_settled_states'), models.CheckConstraint(condition=models.Q(('next_request_at__isnull', True), ('status', 'PROCESSING'), _connector='OR'), name='intent_request_due_while_processing'), models.UniqueConstraint(condition=models.Q(('reference', ''), _negated=True), fields=('application', 'reference'), name='intent_reference_once_per_application'), models.CheckConstraint(condition=models.Q(models.Q(('payable_id', ''), ('payable_type', '')), models.Q(models.Q(('payable_type', ''), _negated=True), models.Q(('payable_id', ''), _negated=True)), _connector='OR'), name='intent_payable_whole'), models.UniqueConstraint(condition=models.Q(models.Q(('payable_id', ''), _negated=True), models.Q(('status', 'REQUIRES_METHOD'), ('status', 'REQUIRES_CONFIRMATION'), ('status', 'PROCESSING'), ('status', 'ACTION_REQUIRED'), ('status', 'REQUIRES_CAPTURE'), ('status', 'UNKNOWN'), _connector='OR')), fields=('application', 'payable_type', 'payable_id'), name='intent_one_live_per_payable'), models.UniqueConstraint(condition=models.Q(models.Q(('payable_id', ''), _negated=True), ('status', 'SUCCEEDED')), fields=('application', 'payable_type', 'payable_id'), name='intent_one_paid_per_payable')],
            },
        ),
        migrations.CreateModel(
            name='PaymentAttempt',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('provider', models.CharField(max_length=20)),
                ('status', django_fsm.FSMField(choices=[('SENDING', 'SENDING'), ('PENDING', 'PENDING'), ('ACTION_REQUIRED', 'ACTION_REQUIRED'), ('AUTHORIZED', 'AUTHORIZED'), ('SUCCEEDED', 'SUCCEEDED'), ('FAILED', 'FAILED'), ('UNKNOWN', 'UNKNOWN'), ('MISMATCH', 'MISMATCH'), ('CANCELLED', 'CANCELLED'), ('EXPIRED', 'EXPIRED')], default='SENDING', max_length=24, protected=True)),
                ('amount_minor', apps.kit.models.MinorField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('phone', models.CharField(max_length=16)),
                ('code', models.CharField(max_length=10, unique=True)),
                ('callback_token', models.CharField(max_length=32, unique=True)),
                ('ticket', models.CharField(blank=True, max_length=120)),
                ('next_action', models.CharField(blank=True, max_length=20)),
                ('next_action_message', models.CharField(blank=True, max_length=300)),
                ('next_action_url', models.CharField(blank=True, max_length=2000)),
                ('provider_receipt', models.CharField(blank=True, max_length=40)),
                ('received_minor', apps.kit.models.MinorField(null=True)),
                ('received_currency', apps.kit.models.CurrencyField(blank=True)),
                ('fee_minor', apps.kit.models.MinorField(null=True)),
                ('refunded_minor', apps.kit.models.MinorField(default=0)),
                ('refund_pending_minor', apps.kit.models.MinorField(default=0)),
                ('is_amount_reported', models.BooleanField(default=False)),
                ('is_in_suspense', models.BooleanField(default=False)),
                ('failure_code', models.CharField(blank=True, max_length=60)),
                ('failure_message', models.CharField(blank=True, max_length=300)),
                ('provider_code', models.CharField(blank=True, max_length=60)),
                ('claimed_receipt', models.CharField(blank=True, max_length=40)),
                ('unexplained_receipt', models.CharField(blank=True, max_length=40)),
                ('unnamed_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('initiated_at', models.DateTimeField(null=True)),
                ('asked_at', models.DateTimeField(null=True)),
                ('next_query_at', models.DateTimeField(null=True)),
                ('query_started_at', models.DateTimeField(null=True)),
                ('unknown_at', models.DateTimeField(null=True)),
                ('refund_due_at', models.DateTimeField(null=True)),
                ('surrendered_at', models.DateTimeField(null=True)),
                ('late_refund_tries', models.PositiveSmallIntegerField(default=0)),
                ('late_refund_refusal', models.CharField(blank=True, max_length=300)),
                ('closed_at', models.DateTimeField(null=True)),
                ('occurred_at', models.DateTimeField(null=True)),
                ('booked_at', models.DateTimeField(null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('provider_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='integrations.provideraccount')),
                ('intent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='payments.paymentintent')),
            ],
            options={
                'verbose_name_plural': 'money of payments in suspense',
                'indexes': [models.Index(condition=models.Q(('provider_receipt', ''), _negated=True), fields=['provider_receipt'], name='attempt_by_receipt'), models.Index(condition=models.Q(('next_query_at__isnull', False)), fields=['next_query_at'], name='attempt_query_due'), models.Index(condition=models.Q(('refund_due_at__isnull', False)), fields=['refund_due_at'], name='attempt_refund_due'), models.Index(condition=models.Q(('status', 'SENDING')), fields=['created_at'], name='attempt_sending'), models.Index(condition=models.Q(('is_in_suspense', True)), fields=['-id'], name='attempt_in_suspense'), models.Index(condition=models.Q(('unexplained_receipt', ''), _negated=True), fields=['-id'], name='attempt_unexplained')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='attempt_amount_positive'), models.CheckConstraint(condition=models.Q(models.Q(('booked_at__isnull', False), ('fee_minor__gte', 0), ('fee_minor__lte', models.F('received_minor')), ('received_minor__gt', 0), ('status__in', ['SUCCEEDED', 'MISMATCH'])), models.Q(models.Q(('status__in', ['SUCCEEDED', 'MISMATCH']), _negated=True), ('booked_at__isnull', True), ('fee_minor__isnull', True), ('received_minor__isnull', True)), _connector='OR'), name='attempt_booked_states'), models.CheckConstraint(condition=models.Q(models.Q(('refund_pending_minor', 0), ('refunded_minor', 0)), models.Q(('received_minor__gte', models.expressions.CombinedExpression(models.F('refunded_minor'), '+', models.F('refund_pending_minor'))), ('refund_pending_minor__gte', 0), ('refunded_minor__gte', 0)), _connector='OR'), name='attempt_refunds_within_received'), models.UniqueConstraint(fields=('intent', 'number'), name='attempt_number_once'), models.UniqueConstraint(condition=models.Q(('status__in', ['SENDING', 'PENDING', 'ACTION_REQUIRED', 'AUTHORIZED', 'UNKNOWN'])), fields=('intent',), name='attempt_one_live_per_intent'), models.UniqueConstraint(condition=models.Q(models.Q(('provider_receipt', ''), _negated=True), ('surrendered_at__isnull', True)), fields=('provider', 'provider_receipt'), name='attempt_receipt_once'), models.CheckConstraint(condition=models.Q(('surrendered_at__isnull', True), models.Q(models.Q(('provider_receipt', ''), _negated=True), ('booked_at__isnull', False), ('is_in_suspense', False), ('refund_pending_minor', 0), ('refunded_minor', 0)), _connector='OR'), name='attempt_surrendered_whole')],
            },
        ),
        migrations.AddField(
            model_name='paymentintent',
            name='current_attempt',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.paymentattempt'),
        ),
        migrations.CreateModel(
            name='PayPage',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('intent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.paymentintent')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('revoked_at__isnull', True)), fields=('intent',), name='pay_page_one_link')],
            },
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=20)),
                ('status', django_fsm.FSMField(choices=[('AWAITING_APPROVAL', 'AWAITING_APPROVAL'), ('REQUESTED', 'REQUESTED'), ('SENDING', 'SENDING'), ('PENDING', 'PENDING'), ('UNKNOWN', 'UNKNOWN'), ('SUCCEEDED', 'SUCCEEDED'), ('FAILED', 'FAILED'), ('CANCELLED', 'CANCELLED')], default='REQUESTED', max_length=24, protected=True)),
                ('amount_minor', apps.kit.models.MinorField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('reason', models.CharField(max_length=200)),
                ('payment_receipt', models.CharField(max_length=40)),
                ('callback_token', models.CharField(max_length=32, unique=True)),
                ('approval_id', models.UUIDField(null=True)),
                ('ticket', models.CharField(blank=True, max_length=120)),
                ('provider_receipt', models.CharField(blank=True, max_length=40)),
                ('charge_minor', apps.kit.models.MinorField(null=True)),
                ('failure_code', models.CharField(blank=True, max_length=60)),
                ('failure_message', models.CharField(blank=True, max_length=300)),
                ('provider_code', models.CharField(blank=True, max_length=60)),
                ('claimed_receipt', models.CharField(blank=True, max_length=40)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('next_request_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('initiated_at', models.DateTimeField(null=True)),
                ('asked_at', models.DateTimeField(null=True)),
                ('next_query_at', models.DateTimeField(null=True)),
                ('query_started_at', models.DateTimeField(null=True)),
                ('unknown_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('occurred_at', models.DateTimeField(null=True)),
                ('refunded_at', models.DateTimeField(null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.paymentattempt')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('intent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.paymentintent')),
                ('provider_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='integrations.provideraccount')),
            ],
            options={
                'indexes': [models.Index(fields=['branch', '-id'], name='refund_by_branch'), models.Index(fields=['status', '-id'], name='refund_by_status'), models.Index(condition=models.Q(('next_request_at__isnull', False)), fields=['next_request_at'], name='refund_request_due'), models.Index(condition=models.Q(('next_query_at__isnull', False)), fields=['next_query_at'], name='refund_query_due'), models.Index(condition=models.Q(('status', 'SENDING')), fields=['sent_at'], name='refund_sending')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='refund_amount_positive'), models.CheckConstraint(condition=models.Q(('charge_minor__isnull', True), ('charge_minor__gt', 0), _connector='OR'), name='refund_charge_positive'), models.CheckConstraint(condition=models.Q(models.Q(('refunded_at__isnull', False), ('status', 'SUCCEEDED')), models.Q(models.Q(('status', 'SUCCEEDED'), _negated=True), ('refunded_at__isnull', True)), _connector='OR'), name='refund_refunded_states'), models.CheckConstraint(condition=models.Q(models.Q(('next_request_at__isnull', False), ('status', 'REQUESTED')), models.Q(models.Q(('status', 'REQUESTED'), _negated=True), ('next_request_at__isnull', True)), _connector='OR'), name='refund_request_due_while_requested'), models.UniqueConstraint(condition=models.Q(('status', 'AWAITING_APPROVAL'), ('status', 'REQUESTED'), ('status', 'SENDING'), ('status', 'PENDING'), ('status', 'UNKNOWN'), _connector='OR'), fields=('intent',), name='refund_one_live_per_intent'), models.UniqueConstraint(condition=models.Q(('provider_receipt', ''), _negated=True), fields=('provider', 'provider_receipt'), name='refund_receipt_once')],
            },
        ),
        migrations.CreateModel(
            name='PullCursor',
            fields=[
                ('provider_account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='integrations.provideraccount')),
                ('registered_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('pulled_until', models.DateTimeField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('failure_code', models.CharField(blank=True, max_length=60)),
            ],
        ),
        migrations.CreateModel(
            name='InboundReceipt',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=20)),
                ('status', django_fsm.FSMField(choices=[('UNCONFIRMED', 'UNCONFIRMED'), ('MATCHED', 'MATCHED'), ('SUSPENSE', 'SUSPENSE'), ('DUPLICATE_SUSPECTED', 'DUPLICATE_SUSPECTED'), ('ASSIGNED', 'ASSIGNED'), ('GIVING_BACK', 'GIVING_BACK'), ('RETRACTED', 'RETRACTED')], default='SUSPENSE', max_length=24, protected=True)),
                ('receipt', models.CharField(max_length=40)),
                ('amount_minor', apps.kit.models.MinorField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('fee_minor', apps.kit.models.MinorField(null=True)),
                ('reference', models.CharField(blank=True, max_length=60)),
                ('reference_key', models.CharField(blank=True, max_length=60)),
                ('payer', models.CharField(blank=True, max_length=64)),
                ('payer_name', models.CharField(blank=True, max_length=120)),
                ('kind', models.CharField(blank=True, max_length=60)),
                ('sources', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('occurred_at', models.DateTimeField(null=True)),
                ('received_at', models.DateTimeField()),
                ('callback_token', models.CharField(max_length=32, null=True, unique=True)),
                ('confirm_tries', models.PositiveSmallIntegerField(default=0)),
                ('next_confirm_at', models.DateTimeField(null=True)),
                ('booked_at', models.DateTimeField(null=True)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('resolved_by', models.CharField(blank=True, max_length=120)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('attempt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.paymentattempt')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('intent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.paymentintent')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.membership')),
                ('provider_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='integrations.provideraccount')),
            ],
            options={
                'verbose_name_plural': 'money in suspense',
                'indexes': [models.Index(fields=['branch', '-id'], name='inbound_by_branch'), models.Index(condition=models.Q(('status', 'SUSPENSE'), ('status', 'DUPLICATE_SUSPECTED'), ('status', 'UNCONFIRMED'), _connector='OR'), fields=['status', '-id'], name='inbound_waiting'), models.Index(condition=models.Q(('booked_at__isnull', False)), fields=['-id'], name='inbound_held'), models.Index(condition=models.Q(('reference_key', ''), _negated=True), fields=['reference_key', 'received_at'], name='inbound_by_reference'), models.Index(condition=models.Q(('next_confirm_at__isnull', False)), fields=['next_confirm_at'], name='inbound_confirm_due')],
                'constraints': [models.UniqueConstraint(fields=('provider_account', 'receipt'), name='inbound_receipt_once'), models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='inbound_amount_positive'), models.CheckConstraint(condition=models.Q(('sources__len__gt', 0)), name='inbound_has_a_source'), models.CheckConstraint(condition=models.Q(models.Q(models.Q(('status', 'SUSPENSE'), ('status', 'DUPLICATE_SUSPECTED'), _connector='OR'), ('attempt__isnull', True), ('booked_at__isnull', False)), models.Q(models.Q(('status', 'MATCHED'), ('status', 'ASSIGNED'), ('status', 'GIVING_BACK'), _connector='OR'), ('attempt__isnull', False), ('intent__isnull', False)), models.Q(('attempt__isnull', False), ('booked_at__isnull', False), ('status', 'RETRACTED')), models.Q(('attempt__isnull', True), ('booked_at__isnull', True), ('callback_token__isnull', False), ('status', 'UNCONFIRMED')), _connector='OR'), name='inbound_waits_or_is_of_an_attempt'), models.CheckConstraint(condition=models.Q(models.Q(('booked_at__isnull', True), ('fee_minor__isnull', True)), models.Q(('booked_at__isnull', False), ('fee_minor__gte', 0), ('fee_minor__lte', models.F('amount_minor'))), _connector='OR'), name='inbound_fee_with_its_booking')],
            },
        ),
        migrations.CreateModel(
            name='CollectionPolicy',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('is_only', models.BooleanField(default=True, unique=True)),
                ('late_money', models.CharField(choices=[('ACCEPT', 'ACCEPT'), ('REFUND', 'REFUND'), ('SUSPENSE', 'SUSPENSE')], default='ACCEPT', max_length=10)),
                ('refuses_unknown', models.BooleanField(default=False)),
                ('refuses_other_sums', models.BooleanField(default=False)),
                ('changed_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('is_only', True)), name='policy_is_only'), models.CheckConstraint(condition=models.Q(('late_money', 'ACCEPT'), ('late_money', 'REFUND'), ('late_money', 'SUSPENSE'), _connector='OR'), name='policy_late_money_known')],
            },
        ),
        migrations.CreateModel(
            name='BulkItem',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('reference', models.CharField(blank=True, max_length=64)),
                ('request', models.JSONField(default=dict)),
                ('problem', models.JSONField(null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('intent', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.paymentintent')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='jobs.job')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'position'), name='bulk_item_once'), models.CheckConstraint(condition=models.Q(('intent__isnull', True), ('problem__isnull', True), _connector='OR'), name='bulk_item_one_end')],
            },
        ),
        migrations.RunPython(install_guards),
    ]
