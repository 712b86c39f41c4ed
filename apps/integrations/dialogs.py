"""What people do with provider accounts beside changing their terms."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.integrations.models import ProviderAccount
from apps.integrations.services import accounts
from apps.kit.dialogs import Answer, Content, Dialog, Effect


def _lines(rows: Sequence[ProviderAccount]) -> list[Effect]:
    return [Effect(account.label, f"{account.number}, {account.branch.name}") for account in rows]


class EnableAccount(Dialog):
    """Let payments go through an account again."""

    name = "enable"
    label = gettext_lazy("Enable…")
    icon = "play_circle"
    permission = "integrations.manage"
    steps_up = True
    on_rows = True
    on_selection = True

    def is_offered(self, row: ProviderAccount) -> bool:
        return not row.is_enabled

    def content(self, request: HttpRequest, rows: Sequence[ProviderAccount]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Enable %(name)s", "Enable %(count)d accounts", count)
            % {"name": rows[0].label, "count": count},
            button=ngettext("Enable the account", "Enable %(count)d accounts", count) % {"count": count},
            effects=_lines(rows),
            next_step=_("New payments may go through it at once. You can disable it again."),
        )

    def act(self, row: ProviderAccount, answer: Answer) -> str:
        accounts.enable(account_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(account)s: enabled.") % {"account": row}


class DisableAccount(Dialog):
    """Send no new payments through an account."""

    name = "disable"
    label = gettext_lazy("Disable…")
    icon = "pause_circle"
    permission = "integrations.manage"
    is_danger = True
    on_rows = True
    on_selection = True

    def is_offered(self, row: ProviderAccount) -> bool:
        return row.is_enabled

    def content(self, request: HttpRequest, rows: Sequence[ProviderAccount]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Disable %(name)s", "Disable %(count)d accounts", count)
            % {"name": rows[0].label, "count": count},
            button=ngettext("Disable the account", "Disable %(count)d accounts", count) % {"count": count},
            effects=_lines(rows),
            next_step=_("New payments are refused where no other account serves. What is under way goes on."),
        )

    def act(self, row: ProviderAccount, answer: Answer) -> str:
        accounts.disable(account_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(account)s: disabled. What is under way goes on.") % {"account": row}
