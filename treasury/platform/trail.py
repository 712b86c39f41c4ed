"""The platform's audit trail in its site: read only."""

import json
from typing import ClassVar

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from apps.accounts.models import PlatformLink, PlatformRecord
from apps.kit.admin import ReadOnlyAdmin, local_time_html
from treasury.platform.site import site


@admin.register(PlatformRecord, site=site)
class PlatformRecordAdmin(ReadOnlyAdmin):
    """Who did what to people and organisations; nobody writes here."""

    list_display = ["when", "action", "thing", "who", "schema", "reason"]
    list_filter = ["action", "actor_kind"]
    search_fields: ClassVar[list[str]] = ["object_id", "person", "request_id"]
    fields = [
        "when",
        "action",
        "thing",
        "who",
        "person",
        "schema",
        "reason",
        "difference",
        "request_id",
        "ip",
        "user_agent",
        "recorded_at",
        "number",
    ]

    @admin.display(description=gettext_lazy("Sealed as"))
    def number(self, record: PlatformRecord) -> str:
        link = PlatformLink.objects.filter(record=record).first()
        return f"{link.seq:,}" if link else gettext("not yet")

    @admin.display(description=gettext_lazy("When"))
    def when(self, record: PlatformRecord) -> SafeString:
        return local_time_html(record.occurred_at, seconds=True)

    @admin.display(description=gettext_lazy("Object"))
    def thing(self, record: PlatformRecord) -> SafeString:
        return format_html('{} <span class="t-ref">{}</span>', record.object_type, record.object_id)

    @admin.display(description=gettext_lazy("Who"))
    def who(self, record: PlatformRecord) -> str:
        return f"{record.actor_kind.lower()}:{record.actor_id}"

    @admin.display(description=gettext_lazy("Changes"))
    def difference(self, record: PlatformRecord) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(record.changes, indent=2, ensure_ascii=False))
