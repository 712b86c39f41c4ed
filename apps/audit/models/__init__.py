"""Tables of the audit trail, and what rows of settings became."""

from apps.audit.models.record import COLUMNS, AuditLink, AuditRecord, WaitingAuditRecord
from apps.audit.models.row_history import ConfigurationHistory

__all__ = ["COLUMNS", "AuditLink", "AuditRecord", "ConfigurationHistory", "WaitingAuditRecord"]
