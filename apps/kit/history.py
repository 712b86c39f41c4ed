"""What rows of settings became: kept by triggers for every statement, whoever runs it; the table, and the SQL that guards it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.kit.trail import ChainModel

SQL = Path(__file__).resolve().parent / "sql" / "history.sql"
WATCH = """
CREATE OR REPLACE TRIGGER row_history AFTER INSERT OR UPDATE OR DELETE ON {s}.{table}
  FOR EACH ROW EXECUTE FUNCTION {s}.{prefix}_keep_history('{owner}', '{{{hidden}}}', '{{{noise}}}');
"""


class Operation(models.TextChoices):
    INSERT = "INSERT", "INSERT"
    UPDATE = "UPDATE", "UPDATE"
    DELETE = "DELETE", "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """
    How the rows of one table are kept.

    ``owner`` is the column of the row that they are a part of, ``hidden`` are columns whose values are never kept, ``noise``
    those whose change alone is no change of a setting.
    """

    owner: str = ""
    hidden: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()


class RowHistory(ChainModel):
    """
    One change of one row, with all that was kept of it before and after. Triggers alone write it.

    ``hidden`` names the columns that changed and whose values are not kept. ``transaction`` is what an audit record of the
    same transaction has: that says who. ``database_user`` is the role that was connected.
    """

    number = models.BigAutoField(primary_key=True)
    table_name = models.CharField(max_length=63)
    row_id = models.CharField(max_length=64)
    owner_id = models.CharField(max_length=64, blank=True)
    operation = models.CharField(max_length=6, choices=Operation)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    hidden = ArrayField(models.CharField(max_length=63))
    transaction = models.CharField(max_length=48)
    database_user = models.CharField(max_length=63)
    changed_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.operation} {self.table_name} {self.row_id}"


def statements(*, quoted: str, history: str, prefix: str) -> str:
    """Return the SQL that a table of history needs, for one schema."""
    text = SQL.read_text(encoding="utf-8")
    for name, value in {"s": quoted, "history": history, "prefix": prefix}.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def watching(tables: Mapping[str, Watched], *, quoted: str, prefix: str) -> Iterator[str]:
    """Produce the SQL that has the rows of each table kept, for one schema. Repeatable."""
    for table, watched in tables.items():
        yield WATCH.format(
            s=quoted,
            table=table,
            prefix=prefix,
            owner=watched.owner,
            hidden=",".join(watched.hidden),
            noise=",".join(watched.noise),
        )
