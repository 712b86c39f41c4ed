"""What people do with API keys beside making them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.access.forms import NetworksForm, RotateKeyForm
from apps.access.models import ApiKey
from apps.access.services import api_keys
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Dialog, Effect


class RotateKey(Dialog):
    """Replace a key by a new one that may do the same; the secret is shown once, on the page that follows."""

    name = "rotate"
    label = gettext_lazy("Rotate…")
    icon = "autorenew"
    permission = "keys.manage"
    steps_up = True
    on_rows = True
    form_class = RotateKeyForm

    def is_offered(self, row: ApiKey) -> bool:
        return row.replaced_at is None and row.opens(clock.now())

    def content(self, request: HttpRequest, rows: Sequence[ApiKey]) -> Content:  # noqa: ARG002 (the rows say all)
        key = rows[0]
        return Content(
            title=_("Rotate the key “%(name)s”") % {"name": key.name},
            button=_("Make the new key"),
            effects=[
                Effect(_("Old key"), f"{key.application.name}, {key.prefix}…{key.last4}", is_live=True),
                Effect(_("May do"), ", ".join(key.scopes)),
            ],
            next_step=_(
                "The new key works at once and is shown a single time. The old one works until its time ends; revoke it to end that early."
            ),
        )

    def act(self, row: ApiKey, answer: Answer) -> str:
        issued = api_keys.rotate(
            key_id=row.id,
            grace=timedelta(hours=answer.data["grace_hours"]),
            issuer=answer.request.user,
            actor=answer.actor,
            now=answer.now,
        )
        return format_html(_("The new key, shown this once: <code>{}</code>. Copy it now."), issued.secret)


class AllowNetworks(Dialog):
    """Say from which addresses a key may come."""

    name = "networks"
    label = gettext_lazy("Allow addresses…")
    icon = "lan"
    permission = "keys.manage"
    steps_up = True
    form_class = NetworksForm

    def is_offered(self, row: ApiKey) -> bool:
        return row.opens(clock.now())

    def content(self, request: HttpRequest, rows: Sequence[ApiKey]) -> Content:  # noqa: ARG002 (the rows say all)
        key = rows[0]
        return Content(
            title=_("Allow addresses for the key “%(name)s”") % {"name": key.name},
            button=_("Allow these addresses"),
            effects=[
                Effect(_("Now"), ", ".join(key.allowed_networks) or _("Every address")),
                Effect(_("Last used from"), key.last_used_ip or "—", is_live=True),
            ],
            next_step=_(
                "Requests from elsewhere are refused from now on, as those of a stranger, and are on record."
            ),
        )

    def form(self, request: HttpRequest, rows: Sequence[ApiKey], data: Any = None) -> forms.Form:  # noqa: ARG002 (the rows say all)
        return NetworksForm(data, initial={"allowed_networks": rows[0].allowed_networks})

    def act(self, row: ApiKey, answer: Answer) -> str:
        key = api_keys.allow_networks(
            key_id=row.id,
            networks=answer.data["allowed_networks"],
            issuer=answer.request.user,
            actor=answer.actor,
            now=answer.now,
        )
        where = ", ".join(key.allowed_networks) or _("every address")
        return _("%(key)s: works from %(where)s.") % {"key": key, "where": where}


class RevokeKey(Dialog):
    """End an API key at once and for good; one key is named by hand before."""

    name = "revoke"
    label = gettext_lazy("Revoke…")
    icon = "block"
    permission = "keys.manage"
    steps_up = True
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
