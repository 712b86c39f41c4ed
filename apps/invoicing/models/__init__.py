"""Models of invoicing."""

from apps.invoicing.models.document import Document
from apps.invoicing.models.number_series import NumberSeries

__all__ = ["Document", "NumberSeries"]
