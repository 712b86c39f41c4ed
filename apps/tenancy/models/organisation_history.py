"""What the rows of organisations and their domains became."""

from django.db import models

from apps.kit.history import RowHistory


class OrganisationHistory(RowHistory):
    """One change of an organisation's row or of one of its domains, in the shared schema as they are."""

    class Meta:
        indexes = [
            models.Index(fields=["table_name", "row_id", "-number"], name="organisation_history_of_row"),
            models.Index(
                fields=["owner_id", "-number"],
                name="organisation_history_of_parts",
                condition=~models.Q(owner_id=""),
            ),
        ]
