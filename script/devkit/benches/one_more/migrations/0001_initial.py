"""One table more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A new table, as most migrations begin."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="OneMore",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True)),
                ("name", models.CharField(max_length=40)),
            ],
        )
    ]
