"""The saved views of lists."""

import apps.kit.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.UUIDField(default=apps.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('model_label', models.CharField(max_length=80)),
                ('name', models.CharField(blank=True, max_length=60)),
                ('query', models.CharField(blank=True, max_length=1000)),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), blank=True, default=list, size=None)),
                ('is_default', models.BooleanField(default=False)),
                ('is_shared', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('branch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.branch')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.membership')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'model_label', 'name'), name='view_name_once'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('owner', 'model_label'), name='view_one_default'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('is_default', False), ('is_shared', False), ('query', '')), _connector='OR'), name='view_without_name_is_columns'), models.CheckConstraint(condition=models.Q(('is_shared', True), ('branch__isnull', True), _connector='OR'), name='view_branch_when_shared')],
            },
        ),
    ]
