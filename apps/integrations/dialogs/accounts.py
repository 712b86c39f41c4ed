"""What people do with provider accounts beside changing their terms."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.integrations.contracts import (
    call_kinds,
    provider_name,
)
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import BalancePort, InboundPort
from apps.integrations.selectors import circuits, kinds
from apps.integrations.services import (
    accounts,
    balances,
    connections,
    gates,
    providers,
    registrations,
)
from apps.kit import errors
from apps.kit.circuits import Position
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm


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


class NotConnected(errors.DomainError):
    """The provider was asked, and did not take the credentials or did not answer."""


class CheckConnection(Dialog):
    """Find out whether the provider is reached and takes the account's credentials."""

    name = "check-connection"
    label = gettext_lazy("Test connection…")
    icon = "network_check"
    permission = "integrations.manage"

    def content(self, request: HttpRequest, rows: Sequence[ProviderAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        return Content(
            title=_("Test the connection of %(name)s") % {"name": account.label},
            button=_("Sign in now"),
            effects=[Effect(_("Number"), account.number), Effect(_("Address"), account.base_url)],
            next_step=_(
                "It signs in with the key and secret of the account and waits for the answer. It moves no money."
            ),
        )

    def act(self, row: ProviderAccount, answer: Answer) -> str:
        found = connections.check(account_id=row.id, actor=answer.actor, now=answer.now)
        told = {"account": row, "rail": provider_name(row.provider), "why": found.message or found.code}
        if not found.is_well:
            raise NotConnected(_("%(rail)s did not let us in. %(why)s") % told)
        return _("%(account)s: %(rail)s was reached and took the credentials.") % told


class CircuitForm(ReasonForm):
    """Which calls, and why."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of call"))
    field_order = ["kind", "reason"]


class CircuitDialog(Dialog):
    """What both dialogs about the circuits of an account have in common."""

    permission = "integrations.manage"
    form_class = CircuitForm

    def form(self, request: HttpRequest, rows: Sequence[ProviderAccount], data: Any = None) -> forms.Form:
        form = super().form(request, rows, data)
        form.fields["kind"].choices = [(kind, kinds.called(kind)) for kind in call_kinds(rows[0].provider)]  # type: ignore[attr-defined]
        return form


class OpenCircuit(CircuitDialog):
    """Let no call of a kind leave an account."""

    name = "open-circuit"
    label = gettext_lazy("Stop calls…")
    icon = "block"
    is_danger = True

    def content(self, request: HttpRequest, rows: Sequence[ProviderAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        return Content(
            title=_("Stop calls of %(name)s") % {"name": account.label},
            button=_("Stop these calls"),
            next_step=_(
                "No call of this kind leaves until somebody lets them through again. What was sent is not recalled."
            ),
        )

    def act(self, row: ProviderAccount, answer: Answer) -> str:
        kind, reason = answer.data["kind"], answer.data["reason"]
        gates.open_circuit(account_id=row.id, kind=kind, actor=answer.actor, now=answer.now, reason=reason)
        return _("%(account)s: calls are stopped: %(kind)s.") % {"account": row, "kind": kinds.called(kind)}


class CloseCircuit(CircuitDialog):
    """Let calls of a kind leave an account again."""

    name = "close-circuit"
    label = gettext_lazy("Let calls through…")
    icon = "play_arrow"
    steps_up = True

    def content(self, request: HttpRequest, rows: Sequence[ProviderAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        stopped = [
            kinds.called(fact.kind) for fact in circuits.of(account) if fact.position is not Position.CLOSED
        ]
        return Content(
            title=_("Let calls of %(name)s through") % {"name": account.label},
            button=_("Let these calls through"),
            effects=[Effect(_("Stopped now"), ", ".join(stopped) or _("None"), is_live=True)],
            next_step=_(
                "Calls of this kind leave at once. If they fail again and again, they are stopped again."
            ),
        )

    def act(self, row: ProviderAccount, answer: Answer) -> str:
        kind, reason = answer.data["kind"], answer.data["reason"]
        gates.close_circuit(account_id=row.id, kind=kind, actor=answer.actor, now=answer.now, reason=reason)
        return _("%(account)s: calls leave again: %(kind)s.") % {"account": row, "kind": kinds.called(kind)}
