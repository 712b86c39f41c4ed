"""Tables of the audit trail."""

from apps.audit.models.record import AuditRecord

__all__ = ["AuditRecord"]
