"""Tables of the audit trail."""

from apps.audit.models.record import COLUMNS, AuditLink, AuditRecord, WaitingAuditRecord

__all__ = ["COLUMNS", "AuditLink", "AuditRecord", "WaitingAuditRecord"]
