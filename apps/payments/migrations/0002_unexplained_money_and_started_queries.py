from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='paymentattempt',
            name='query_started_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='paymentattempt',
            name='unexplained_receipt',
            field=models.CharField(blank=True, default='', max_length=40),
            preserve_default=False,
        ),
    ]
