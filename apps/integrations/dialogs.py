"""What people do with provider accounts beside changing their terms."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.integrations.models import ProviderAccount
from apps.integrations.ports import BalancePort, InboundPort
from apps.integrations.services import accounts, balances, providers, registrations
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


class RegisterAddresses(Dialog):
    """Tell the provider where to report payments that come unasked."""

    name = "register-addresses"
    label = gettext_lazy("Register addresses…")
    icon = "add_link"
    permission = "integrations.manage"
    steps_up = True

    def is_offered(self, row: ProviderAccount) -> bool:
        return providers.offers(row.provider, InboundPort)

    def content(self, request: HttpRequest, rows: Sequence[ProviderAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        default = (
            _("The payment is accepted") if account.is_accepted_by_default else _("The payment is refused")
        )
        return Content(
            title=_("Register the addresses of %(name)s") % {"name": account.label},
            button=_("Register the addresses"),
            effects=[
                Effect(_("Number"), account.number),
                Effect(_("Version of the service"), account.inbound_version),
                Effect(_("When a check is not answered"), default),
            ],
            next_step=_(
                "In production the provider takes addresses once. To change them, have the old ones deleted there first."
            ),
        )

    def act(self, row: ProviderAccount, answer: Answer) -> str:
        registrations.ask(account_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(account)s: the provider is being told. Its answer appears on this page.") % {
            "account": row
        }


class AskBalance(Dialog):
    """Ask the provider what it holds."""

    name = "ask-balance"
    label = gettext_lazy("Ask for the balance…")
    icon = "account_balance_wallet"
    permission = "integrations.manage"

    def is_offered(self, row: ProviderAccount) -> bool:
        return providers.offers(row.provider, BalancePort)

    def content(self, request: HttpRequest, rows: Sequence[ProviderAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        return Content(
            title=_("Ask for the balance of %(name)s") % {"name": account.label},
            button=_("Ask the provider"),
            effects=[Effect(_("Number"), account.number)],
            next_step=_("It moves no money. The answer comes within a minute and appears on this page."),
        )

    def act(self, row: ProviderAccount, answer: Answer) -> str:
        balances.ask(account_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(account)s: the provider has been asked.") % {"account": row}
