"""Install the ledger's functions, keys and triggers into the schema that is being migrated."""

from pathlib import Path

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SQL_FOLDER = Path(__file__).resolve().parent.parent / "sql"
FILES = ["guards.sql", "ledger_account_v1.sql", "ledger_transfer_v1.sql", "ledger_post_v1.sql", "seals.sql", "rates.sql", "periods.sql", "chart.sql"]


def install(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    schema = connection.ops.quote_name(connection.schema_name)
    for name in FILES:
        schema_editor.execute((SQL_FOLDER / name).read_text().replace("{s}", schema), params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(install)]
