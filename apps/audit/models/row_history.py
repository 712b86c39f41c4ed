"""What the organisation's rows of settings became."""

from django.db import models

from apps.kit.history import RowHistory


class ConfigurationHistory(RowHistory):
    """One change of one row of the organisation's settings; the tables are listed in the database settings."""

    class Meta:
        indexes = [
            models.Index(fields=["table_name", "row_id", "-number"], name="history_of_row"),
            models.Index(
                fields=["owner_id", "-number"], name="history_of_parts", condition=~models.Q(owner_id="")
            ),
        ]
