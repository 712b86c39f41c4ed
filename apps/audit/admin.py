"""The audit log in the organisation's site: read only."""

import json
from typing import ClassVar

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.audit.models import AuditRecord
from apps.kit.admin import ReadOnlyAdmin, local_time_html


@admin.register(AuditRecord)
class AuditRecordAdmin(ReadOnlyAdmin):
    """Auditors read here who did what; nobody writes."""

    list_display = ["when", "action", "thing", "who", "application", "ip"]
    list_filter = ["action", "actor_kind"]
    search_fields: ClassVar[list[str]] = ["object_id", "person", "actor_id", "request_id"]
    fields = [
        "when",
        "action",
        "thing",
        "who",
        "person",
        "application",
        "reason",
        "difference",
        "request_id",
        "ip",
    ]

    def heading(self, row: AuditRecord) -> str:
        return row.action

    @admin.display(description=_("When"))
    def when(self, record: AuditRecord) -> SafeString:
        return local_time_html(record.occurred_at, seconds=True)

    @admin.display(description=_("Object"))
    def thing(self, record: AuditRecord) -> SafeString:
        return format_html('{} <span class="t-ref">{}</span>', record.object_type, record.object_id)

    @admin.display(description=_("Who"))
    def who(self, record: AuditRecord) -> str:
        return f"{record.actor_kind.lower()}:{record.actor_id}"

    @admin.display(description=_("Changes"))
    def difference(self, record: AuditRecord) -> SafeString:
        return format_html(
            '<pre class="p-pre" tabindex="0">{}</pre>',
            json.dumps(record.changes, indent=2, ensure_ascii=False),
        )
