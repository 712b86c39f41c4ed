"""Tables of disbursements, and the triggers that guard their final states."""

from pathlib import Path

import apps.kit.ids
import apps.kit.models
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
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
        ('parties', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConnectedAccount',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=20)),
                ('status', django_fsm.FSMField(choices=[('REQUESTED', 'REQUESTED'), ('UNKNOWN', 'UNKNOWN'), ('PENDING', 'PENDING'), ('ENABLED', 'ENABLED'), ('RESTRICTED', 'RESTRICTED'), ('CLOSED', 'CLOSED'), ('FAILED', 'FAILED')], default='REQUESTED', max_length=24, protected=True)),
                ('code', models.CharField(max_length=10, unique=True)),
                ('country', models.CharField(max_length=2)),
                ('currency', apps.kit.models.CurrencyField()),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('return_url', models.CharField(max_length=2000)),
                ('refresh_url', models.CharField(max_length=2000)),
                ('ticket', models.CharField(blank=True, max_length=120)),
                ('needs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), default=list, size=None)),
                ('due_by', models.DateTimeField(null=True)),
                ('failure_code', models.CharField(blank=True, max_length=60)),
                ('failure_message', models.CharField(blank=True, max_length=300)),
                ('provider_code', models.CharField(blank=True, max_length=60)),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('repeated_at', models.DateTimeField(null=True)),
                ('next_query_at', models.DateTimeField(null=True)),
                ('query_started_at', models.DateTimeField(null=True)),
                ('opened_at', models.DateTimeField(null=True)),
                ('changed_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('verdict_reason', models.CharField(blank=True, max_length=200)),
                ('verdict_by', models.CharField(blank=True, max_length=120)),
                ('verdict_approval_id', models.UUIDField(null=True)),
                ('judged_at', models.DateTimeField(null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('party', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.party')),
                ('provider_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='integrations.provideraccount')),
            ],
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('status', django_fsm.FSMField(choices=[('AWAITING_APPROVAL', 'AWAITING_APPROVAL'), ('REQUESTED', 'REQUESTED'), ('SENDING', 'SENDING'), ('UNKNOWN', 'UNKNOWN'), ('SUCCEEDED', 'SUCCEEDED'), ('FAILED', 'FAILED'), ('CANCELLED', 'CANCELLED')], default='REQUESTED', max_length=24, protected=True)),
                ('code', models.CharField(max_length=10, unique=True)),
                ('amount_minor', apps.kit.models.MinorField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('ticket', models.CharField(blank=True, max_length=120)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('next_request_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('repeated_at', models.DateTimeField(null=True)),
                ('next_query_at', models.DateTimeField(null=True)),
                ('query_started_at', models.DateTimeField(null=True)),
                ('unknown_at', models.DateTimeField(null=True)),
                ('succeeded_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('failure_code', models.CharField(blank=True, max_length=60)),
                ('failure_message', models.CharField(blank=True, max_length=300)),
                ('provider_code', models.CharField(blank=True, max_length=60)),
                ('nonce', models.UUIDField(null=True)),
                ('provider', models.CharField(max_length=20)),
                ('reference', models.CharField(max_length=64)),
                ('approval_id', models.UUIDField(null=True)),
                ('reversed_minor', apps.kit.models.MinorField(default=0)),
                ('reversing_minor', apps.kit.models.MinorField(default=0)),
                ('verdict', models.CharField(blank=True, choices=[('MADE', 'MADE'), ('NOT_MADE', 'NOT_MADE')], max_length=16)),
                ('verdict_ticket', models.CharField(blank=True, max_length=120)),
                ('verdict_minor', apps.kit.models.MinorField(null=True)),
                ('verdict_reason', models.CharField(blank=True, max_length=200)),
                ('verdict_by', models.CharField(blank=True, max_length=120)),
                ('verdict_approval_id', models.UUIDField(null=True)),
                ('judged_at', models.DateTimeField(null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('connected_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='disbursements.connectedaccount')),
                ('provider_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='integrations.provideraccount')),
            ],
        ),
        migrations.CreateModel(
            name='TransferReversal',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('status', django_fsm.FSMField(choices=[('AWAITING_APPROVAL', 'AWAITING_APPROVAL'), ('REQUESTED', 'REQUESTED'), ('SENDING', 'SENDING'), ('UNKNOWN', 'UNKNOWN'), ('SUCCEEDED', 'SUCCEEDED'), ('FAILED', 'FAILED'), ('CANCELLED', 'CANCELLED')], default='REQUESTED', max_length=24, protected=True)),
                ('code', models.CharField(max_length=10, unique=True)),
                ('amount_minor', apps.kit.models.MinorField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('ticket', models.CharField(blank=True, max_length=120)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('next_request_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('repeated_at', models.DateTimeField(null=True)),
                ('next_query_at', models.DateTimeField(null=True)),
                ('query_started_at', models.DateTimeField(null=True)),
                ('unknown_at', models.DateTimeField(null=True)),
                ('succeeded_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('failure_code', models.CharField(blank=True, max_length=60)),
                ('failure_message', models.CharField(blank=True, max_length=300)),
                ('provider_code', models.CharField(blank=True, max_length=60)),
                ('nonce', models.UUIDField(null=True)),
                ('number', models.PositiveSmallIntegerField()),
                ('reason', models.CharField(max_length=200)),
                ('returned_minor', apps.kit.models.MinorField(null=True)),
                ('transfer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='disbursements.transfer')),
            ],
        ),
        migrations.AddIndex(
            model_name='connectedaccount',
            index=models.Index(fields=['branch', '-id'], name='connected_account_by_branch'),
        ),
        migrations.AddIndex(
            model_name='connectedaccount',
            index=models.Index(fields=['party', '-id'], name='connected_account_by_party'),
        ),
        migrations.AddIndex(
            model_name='connectedaccount',
            index=models.Index(condition=models.Q(('next_query_at__isnull', False)), fields=['next_query_at'], name='connected_account_query_due'),
        ),
        migrations.AddConstraint(
            model_name='connectedaccount',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='connected_account_country_form'),
        ),
        migrations.AddConstraint(
            model_name='connectedaccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('status', 'REQUESTED'), ('status', 'UNKNOWN'), ('status', 'FAILED'), _connector='OR'), ('opened_at__isnull', True)), models.Q(models.Q(('status', 'PENDING'), ('status', 'ENABLED'), ('status', 'RESTRICTED'), ('status', 'CLOSED'), _connector='OR'), ('opened_at__isnull', False), models.Q(('ticket', ''), _negated=True)), _connector='OR'), name='connected_account_ticket_since_opened'),
        ),
        migrations.AddConstraint(
            model_name='connectedaccount',
            constraint=models.CheckConstraint(condition=models.Q(('sent_at__isnull', False), models.Q(('repeated_at__isnull', True), models.Q(('status', 'UNKNOWN'), _negated=True)), _connector='OR'), name='connected_account_lost_once_sent'),
        ),
        migrations.AddConstraint(
            model_name='connectedaccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('judged_at__isnull', True), ('verdict_approval_id__isnull', True), ('verdict_by', ''), ('verdict_reason', '')), models.Q(models.Q(('verdict_reason', ''), _negated=True), models.Q(('verdict_by', ''), _negated=True), ('sent_at__isnull', False), ('verdict_approval_id__isnull', False), models.Q(('judged_at__isnull', True), models.Q(('failure_code', 'not_opened'), ('status', 'FAILED')), _connector='OR')), _connector='OR'), name='connected_account_verdict_whole'),
        ),
        migrations.AddConstraint(
            model_name='connectedaccount',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'REQUESTED'), ('status', 'UNKNOWN'), ('status', 'PENDING'), ('status', 'ENABLED'), ('status', 'RESTRICTED'), _connector='OR'), fields=('party', 'provider_account'), name='connected_account_one_live'),
        ),
        migrations.AddConstraint(
            model_name='connectedaccount',
            constraint=models.UniqueConstraint(condition=models.Q(('ticket', ''), _negated=True), fields=('provider_account', 'ticket'), name='connected_account_ticket_once'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('next_request_at__isnull', False)), fields=['next_request_at'], name='transfer_request_due'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('next_query_at__isnull', False)), fields=['next_query_at'], name='transfer_query_due'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('status', 'SENDING')), fields=['sent_at'], name='transfer_sending'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['branch', '-id'], name='transfer_by_branch'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['connected_account', '-id'], name='transfer_by_account'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='transfer_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'SUCCEEDED'), ('succeeded_at__isnull', False)), models.Q(models.Q(('status', 'SUCCEEDED'), _negated=True), ('succeeded_at__isnull', True)), _connector='OR'), name='transfer_succeeded_state'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('next_request_at__isnull', False), ('status', 'REQUESTED')), models.Q(models.Q(('status', 'REQUESTED'), _negated=True), ('next_request_at__isnull', True)), _connector='OR'), name='transfer_due_while_requested'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('reference', ''), _negated=True), name='transfer_has_reference'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('reversed_minor__gte', 0), ('reversing_minor__gte', 0), models.Q(models.Q(('amount_minor__gte', django.db.models.expressions.CombinedExpression(models.F('reversed_minor'), '+', models.F('reversing_minor'))), ('verdict_minor__isnull', True)), models.Q(('verdict_minor__gte', django.db.models.expressions.CombinedExpression(models.F('reversed_minor'), '+', models.F('reversing_minor'))), ('verdict_minor__isnull', False)), _connector='OR')), name='transfer_not_reversed_beyond_itself'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('judged_at__isnull', True), ('verdict', ''), ('verdict_approval_id__isnull', True), ('verdict_by', ''), ('verdict_minor__isnull', True), ('verdict_reason', ''), ('verdict_ticket', '')), models.Q(models.Q(models.Q(('verdict', 'MADE'), ('verdict_minor__gt', 0), ('verdict_minor__isnull', False), models.Q(('verdict_ticket', ''), _negated=True)), models.Q(('verdict', 'NOT_MADE'), ('verdict_minor__isnull', True), ('verdict_ticket', '')), _connector='OR'), models.Q(('verdict_reason', ''), _negated=True), models.Q(('verdict_by', ''), _negated=True), ('unknown_at__isnull', False), ('verdict_approval_id__isnull', False)), _connector='OR'), name='transfer_verdict_whole'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('status', 'SUCCEEDED'), models.Q(('reversed_minor', 0), ('reversing_minor', 0)), _connector='OR'), name='transfer_reversed_once_made'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.UniqueConstraint(condition=models.Q(('ticket', ''), _negated=True), fields=('provider_account', 'ticket'), name='transfer_ticket_once'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.UniqueConstraint(fields=('connected_account', 'nonce'), name='transfer_nonce_once'),
        ),
        migrations.AddIndex(
            model_name='transferreversal',
            index=models.Index(condition=models.Q(('next_request_at__isnull', False)), fields=['next_request_at'], name='transferreversal_request_due'),
        ),
        migrations.AddIndex(
            model_name='transferreversal',
            index=models.Index(condition=models.Q(('next_query_at__isnull', False)), fields=['next_query_at'], name='transferreversal_query_due'),
        ),
        migrations.AddIndex(
            model_name='transferreversal',
            index=models.Index(condition=models.Q(('status', 'SENDING')), fields=['sent_at'], name='transferreversal_sending'),
        ),
        migrations.AddConstraint(
            model_name='transferreversal',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='transferreversal_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='transferreversal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'SUCCEEDED'), ('succeeded_at__isnull', False)), models.Q(models.Q(('status', 'SUCCEEDED'), _negated=True), ('succeeded_at__isnull', True)), _connector='OR'), name='transferreversal_succeeded_state'),
        ),
        migrations.AddConstraint(
            model_name='transferreversal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('next_request_at__isnull', False), ('status', 'REQUESTED')), models.Q(models.Q(('status', 'REQUESTED'), _negated=True), ('next_request_at__isnull', True)), _connector='OR'), name='transferreversal_due_while_requested'),
        ),
        migrations.AddConstraint(
            model_name='transferreversal',
            constraint=models.CheckConstraint(condition=models.Q(('returned_minor__isnull', True), models.Q(('returned_minor__gt', 0), ('returned_minor__isnull', False), ('status', 'SUCCEEDED')), _connector='OR'), name='transferreversal_returned_once_made'),
        ),
        migrations.AddConstraint(
            model_name='transferreversal',
            constraint=models.UniqueConstraint(fields=('transfer', 'number'), name='transferreversal_number_once'),
        ),
        migrations.AddConstraint(
            model_name='transferreversal',
            constraint=models.UniqueConstraint(fields=('transfer', 'nonce'), name='transferreversal_nonce_once'),
        ),
        migrations.AddConstraint(
            model_name='transferreversal',
            constraint=models.UniqueConstraint(condition=models.Q(('ticket', ''), _negated=True), fields=('transfer', 'ticket'), name='transferreversal_ticket_once'),
        ),
        migrations.RunPython(install_guards),
    ]
