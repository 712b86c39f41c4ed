"""Install the triggers that keep events and attempts unchanged into the schema that is being migrated."""

from pathlib import Path

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SQL = Path(__file__).resolve().parent.parent / "sql" / "append_only.sql"


def install(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    schema = connection.ops.quote_name(connection.schema_name)
    schema_editor.execute(SQL.read_text().replace("{s}", schema), params=None)


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunPython(install)]
