"""Tables of approvals, and the triggers that keep makers and checkers apart."""

from pathlib import Path

import apps.kit.ids
import apps.kit.models
import django.contrib.postgres.fields
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
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApprovalRule',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('currency', apps.kit.models.CurrencyField(blank=True)),
                ('minimum_minor', apps.kit.models.MinorField(null=True)),
                ('maximum_minor', apps.kit.models.MinorField(null=True)),
                ('priority', models.SmallIntegerField(default=0)),
                ('window_hours', models.PositiveSmallIntegerField(null=True)),
                ('window_by', models.CharField(blank=True, choices=[('COUNTERPARTY', 'COUNTERPARTY'), ('PERSON', 'PERSON'), ('APPLICATION', 'APPLICATION')], max_length=16)),
                ('remind_after_hours', models.PositiveSmallIntegerField(null=True)),
                ('escalate_after_hours', models.PositiveSmallIntegerField(null=True)),
                ('escalate_roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, default=list, size=20)),
                ('is_active', models.BooleanField(default=True)),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('deactivated_at', models.DateTimeField(null=True)),
                ('branch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_active', True)), fields=['kind'], name='rule_active_by_kind')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('maximum_minor__isnull', True), ('minimum_minor__isnull', True)), models.Q(('currency', ''), _negated=True), _connector='OR'), name='rule_band_has_currency'), models.CheckConstraint(condition=models.Q(('minimum_minor__isnull', True), ('minimum_minor__gte', 0), _connector='OR'), name='rule_minimum_not_negative'), models.CheckConstraint(condition=models.Q(('maximum_minor__isnull', True), ('maximum_minor__gt', 0), _connector='OR'), name='rule_maximum_positive'), models.CheckConstraint(condition=models.Q(('minimum_minor__isnull', True), ('maximum_minor__isnull', True), ('maximum_minor__gt', models.F('minimum_minor')), _connector='OR'), name='rule_band_not_empty'), models.CheckConstraint(condition=models.Q(models.Q(('window_by', ''), ('window_hours__isnull', True)), models.Q(models.Q(('window_by', ''), _negated=True), ('window_hours__gte', 1)), _connector='OR'), name='rule_window_whole'), models.CheckConstraint(condition=models.Q(models.Q(('escalate_after_hours__isnull', True), ('escalate_roles__len', 0)), models.Q(('escalate_after_hours__gte', 1), ('escalate_roles__len__gte', 1)), _connector='OR'), name='rule_escalation_whole'), models.CheckConstraint(condition=models.Q(models.Q(('deactivated_at__isnull', True), ('is_active', True)), models.Q(('deactivated_at__isnull', False), ('is_active', False)), _connector='OR'), name='rule_deactivated_once')],
            },
        ),
        migrations.CreateModel(
            name='ApprovalRequest',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('subject_id', models.UUIDField()),
                ('subject_reference', models.CharField(max_length=64)),
                ('status', django_fsm.FSMField(choices=[('PENDING', 'PENDING'), ('APPROVED', 'APPROVED'), ('REFUSED', 'REFUSED'), ('EXPIRED', 'EXPIRED'), ('WITHDRAWN', 'WITHDRAWN')], default='PENDING', max_length=16, protected=True)),
                ('payload_version', models.PositiveIntegerField(default=1)),
                ('payload_hash', models.CharField(max_length=64)),
                ('amount_minor', apps.kit.models.MinorField(null=True)),
                ('currency', apps.kit.models.CurrencyField(blank=True)),
                ('summary', models.CharField(max_length=200)),
                ('current_step', models.PositiveSmallIntegerField(default=1)),
                ('step_count', models.PositiveSmallIntegerField()),
                ('step_began_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('requested_by', models.CharField(max_length=120)),
                ('requester', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('rule', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.approvalrule')),
            ],
            options={
                'indexes': [models.Index(fields=['branch', '-id'], name='request_by_branch'), models.Index(fields=['subject_id'], name='request_by_subject'), models.Index(condition=models.Q(('status', 'PENDING')), fields=['expires_at'], name='request_expiry_due'), models.Index(fields=['decided_at'], name='request_by_decided')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'PENDING')), fields=('kind', 'subject_id'), name='request_one_pending_per_subject'), models.CheckConstraint(condition=models.Q(models.Q(('amount_minor__isnull', True), ('currency', '')), models.Q(('amount_minor__isnull', False), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='request_amount_has_currency'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('status', 'PENDING')), models.Q(models.Q(('status', 'PENDING'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='request_decided_states'), models.CheckConstraint(condition=models.Q(('current_step__gte', 1), ('current_step__lte', models.F('step_count'))), name='request_step_in_range'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='request_expires_later')],
            },
        ),
        migrations.CreateModel(
            name='ApprovalStep',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('sequence', models.PositiveSmallIntegerField()),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), size=20)),
                ('needed', models.PositiveSmallIntegerField()),
                ('further_roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, default=list, size=20)),
                ('further_after_hours', models.PositiveSmallIntegerField(null=True)),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='approvals.approvalrule')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('rule', 'sequence'), name='step_sequence_once'), models.CheckConstraint(condition=models.Q(('needed__gte', 1), ('sequence__gte', 1)), name='step_from_one'), models.CheckConstraint(condition=models.Q(('roles__len__gte', 1)), name='step_has_a_group'), models.CheckConstraint(condition=models.Q(models.Q(('further_after_hours__isnull', True), ('further_roles__len', 0)), models.Q(('further_after_hours__gte', 1), ('further_roles__len__gte', 1)), _connector='OR'), name='step_further_whole')],
            },
        ),
        migrations.CreateModel(
            name='ApprovalVersion',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('payload', models.JSONField()),
                ('payload_hash', models.CharField(max_length=64)),
                ('amount_minor', apps.kit.models.MinorField(null=True)),
                ('currency', apps.kit.models.CurrencyField(blank=True)),
                ('summary', models.CharField(max_length=200)),
                ('made_by', models.CharField(max_length=120)),
                ('maker', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField()),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='approvals.approvalrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'number'), name='version_number_once'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='version_from_one')],
            },
        ),
        migrations.CreateModel(
            name='RequestedStep',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('payload_version', models.PositiveIntegerField()),
                ('sequence', models.PositiveSmallIntegerField()),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), size=20)),
                ('needed', models.PositiveSmallIntegerField()),
                ('further_roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, default=list, size=20)),
                ('further_after_hours', models.PositiveSmallIntegerField(null=True)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='approvals.approvalrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'payload_version', 'sequence'), name='requested_step_once'), models.CheckConstraint(condition=models.Q(('needed__gte', 1), ('sequence__gte', 1)), name='requested_step_from_one'), models.CheckConstraint(condition=models.Q(('roles__len__gte', 1)), name='requested_step_has_a_group'), models.CheckConstraint(condition=models.Q(models.Q(('further_after_hours__isnull', True), ('further_roles__len', 0)), models.Q(('further_after_hours__gte', 1), ('further_roles__len__gte', 1)), _connector='OR'), name='requested_step_further_whole')],
            },
        ),
        migrations.CreateModel(
            name='ApprovalDelegation',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('application', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=50)),
                ('currency', apps.kit.models.CurrencyField(blank=True)),
                ('maximum_minor', apps.kit.models.MinorField(null=True)),
                ('reason', models.CharField(max_length=500)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('revoked_by', models.CharField(blank=True, max_length=120)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('delegate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.membership')),
                ('delegator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.membership')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('revoked_at__isnull', True)), fields=['delegate', 'ends_at'], name='delegation_by_delegate')],
                'constraints': [models.CheckConstraint(condition=models.Q(('delegator', models.F('delegate')), _negated=True), name='delegation_to_another'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='delegation_ends_later'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='delegation_has_reason'), models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('maximum_minor__isnull', True)), models.Q(('maximum_minor__gt', 0), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='delegation_maximum_has_currency'), models.CheckConstraint(condition=models.Q(models.Q(('revoked_at__isnull', True), ('revoked_by', '')), models.Q(('revoked_at__isnull', False), models.Q(('revoked_by', ''), _negated=True)), _connector='OR'), name='delegation_revoked_once')],
            },
        ),
        migrations.CreateModel(
            name='ApprovalDecision',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('payload_version', models.PositiveIntegerField()),
                ('payload_hash', models.CharField(max_length=64)),
                ('step', models.PositiveSmallIntegerField()),
                ('verdict', models.CharField(choices=[('APPROVED', 'APPROVED'), ('REFUSED', 'REFUSED')], max_length=16)),
                ('person', models.CharField(max_length=64)),
                ('role', models.CharField(max_length=50)),
                ('delegation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.approvaldelegation')),
                ('on_behalf_of', models.CharField(blank=True, max_length=64)),
                ('decided_by', models.CharField(max_length=120)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('decided_at', models.DateTimeField()),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.membership')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='approvals.approvalrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'person', 'payload_version'), name='decision_once_per_person'), models.UniqueConstraint(condition=models.Q(('on_behalf_of', ''), _negated=True), fields=('request', 'on_behalf_of', 'payload_version'), name='decision_once_in_a_name'), models.CheckConstraint(condition=models.Q(('person', ''), _negated=True), name='decision_by_a_person'), models.CheckConstraint(condition=models.Q(models.Q(('delegation__isnull', True), ('on_behalf_of', '')), models.Q(('delegation__isnull', False), models.Q(('on_behalf_of', ''), _negated=True)), _connector='OR'), name='decision_in_a_name_by_delegation'), models.CheckConstraint(condition=models.Q(('verdict', 'APPROVED'), models.Q(('reason', ''), _negated=True), _connector='OR'), name='decision_refusal_has_reason')],
            },
        ),
        migrations.CreateModel(
            name='NamedRow',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('payload_version', models.PositiveIntegerField()),
                ('object_type', models.CharField(max_length=64)),
                ('object_id', models.CharField(max_length=64)),
                ('maker', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField()),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='named', to='approvals.approvalrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'payload_version', 'object_type', 'object_id'), name='named_row_once')],
            },
        ),
        migrations.CreateModel(
            name='CountedDeed',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('subject_id', models.UUIDField()),
                ('subject_reference', models.CharField(max_length=64)),
                ('person', models.CharField(blank=True, max_length=64)),
                ('counterparty', models.CharField(blank=True, max_length=64)),
                ('amount_minor', apps.kit.models.MinorField()),
                ('currency', apps.kit.models.CurrencyField()),
                ('created_at', models.DateTimeField()),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.application')),
                ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.approvalrequest')),
            ],
            options={
                'indexes': [models.Index(fields=['kind', 'currency', '-created_at'], name='deed_by_kind')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('request__isnull', True)), fields=('kind', 'subject_id'), name='deed_counted_once'), models.UniqueConstraint(condition=models.Q(('request__isnull', False)), fields=('request',), name='deed_counted_once_a_request')],
            },
        ),
        migrations.CreateModel(
            name='SplitPart',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('payload_version', models.PositiveIntegerField()),
                ('deed', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.counteddeed')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='approvals.approvalrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'payload_version', 'deed'), name='split_part_once')],
            },
        ),
        migrations.CreateModel(
            name='ApprovalReminder',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('payload_version', models.PositiveIntegerField()),
                ('step', models.PositiveSmallIntegerField()),
                ('stage', models.CharField(choices=[('REMINDED', 'REMINDED'), ('ESCALATED', 'ESCALATED'), ('WIDENED', 'WIDENED')], max_length=16)),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), size=20)),
                ('sent_at', models.DateTimeField()),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='approvals.approvalrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'payload_version', 'step', 'stage'), name='reminder_once_a_step')],
            },
        ),
        migrations.RunPython(install_guards),
    ]
