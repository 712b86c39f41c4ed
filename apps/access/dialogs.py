"""What people do with API keys beside making them."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.access.models import ApiKey
from apps.access.services import api_keys
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Dialog, Effect


class RevokeKey(Dialog):
    """End an API key at once and for good; one key is named by hand before."""

    name = "revoke"
    label = gettext_lazy("Revoke…")
    icon = "block"
    permission = "keys.manage"
    is_danger = True
    on_rows = True
    on_selection = True

    def is_offered(self, row: ApiKey) -> bool:
        return row.opens(clock.now())

    def content(self, request: HttpRequest, rows: Sequence[ApiKey]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        names = ", ".join(key.name for key in rows)
        return Content(
            title=ngettext("Revoke the key “%(names)s”", "Revoke %(count)d keys", count)
            % {"names": names, "count": count},
            button=ngettext("Revoke the key", "Revoke %(count)d keys", count) % {"count": count},
            about="" if count == 1 else names,
            effects=[
                Effect(key.name, f"{key.application.name}, {key.prefix}…{key.last4}", is_live=True)
                for key in rows
            ],
            next_step=_("Requests with it are refused from now on. It cannot be taken back: make a new key."),
            typed_text=rows[0].name if count == 1 else str(count),
        )

    def act(self, row: ApiKey, answer: Answer) -> str:
        api_keys.revoke(key_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(key)s: revoked.") % {"key": row}
