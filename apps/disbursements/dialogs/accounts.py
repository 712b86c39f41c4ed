"""What people do with connected accounts: have one opened, send the party to the provider, ask how an account stands, pay."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.approvals.selectors import rules
from apps.disbursements.contracts import TRANSFER, NewTransfer, TransferStatus
from apps.disbursements.dialogs.account_forms import ConnectForm, wanted
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.models.transfer import REFERENCE_LENGTH
from apps.disbursements.selectors import needs
from apps.disbursements.selectors import transfers as stored
from apps.disbursements.services import connected_accounts, transfers
from apps.integrations.contracts import provider_name
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice
from apps.kit.money import Money
from apps.kit.part_form import PartForm


class ConnectParty(Dialog):
    """Have a provider open an account for a party, which is sent there once it is open."""

    name = "connect"
    label = gettext_lazy("Connect a party…")
    icon = "add"
    permission = "disbursements.connect"
    on_list = True
    opened: ConnectedAccount | None = None

    def form(self, request: HttpRequest, rows: Sequence[ConnectedAccount], data: Any = None) -> forms.Form:  # noqa: ARG002 (there is none yet)
        return ConnectForm(data, person=request.user)

    def content(self, request: HttpRequest, rows: Sequence[ConnectedAccount]) -> Content:  # noqa: ARG002 (there is none yet)
        return Content(
            title=_("Connect a party"),
            button=_("Have the account opened"),
            next_step=_(
                "The provider opens an account in the name of the party. No money moves. Once it is open, its page makes the link that the party is sent to the provider with."
            ),
        )

    def perform(self, rows: Sequence[ConnectedAccount], answer: Answer) -> list[str]:  # noqa: ARG002 (there is none yet)
        self.opened = connected_accounts.open_account(
            party=answer.data["party_id"],
            request=wanted(answer.data),
            actor=answer.actor,
            now=answer.now,
        )
        told = {"rail": provider_name(self.opened.provider), "party": self.opened.party}
        return [_("%(rail)s is asked to open an account for %(party)s.") % told]

    def landing(self, request: HttpRequest, rows: Sequence[ConnectedAccount]) -> str:  # noqa: ARG002 (the page of the new one)
        if self.opened is None:
            return ""
        return reverse("admin:disbursements_connectedaccount_change", args=[self.opened.id])


class SendParty(Dialog):
    """Have the provider make an address of its pages, for the party to tell there what it asks."""

    name = "send"
    label = gettext_lazy("Send to the provider…")
    icon = "forward_to_inbox"
    permission = "disbursements.connect"

    def is_offered(self, row: ConnectedAccount) -> bool:
        return row.is_opened

    def content(self, request: HttpRequest, rows: Sequence[ConnectedAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        rail = {"rail": provider_name(account.provider), "party": account.party}
        return Content(
            title=_("Send %(party)s to %(rail)s") % rail,
            button=_("Make a link"),
            effects=[Effect(_("Still needed"), needs.words(account.needs) or _("nothing"))],
            next_step=_(
                "You see a link, this once: hand it to %(party)s. It is good for minutes, and for one visit. Make another one each time."
            )
            % rail,
            version=account.status,
        )

    def act(self, row: ConnectedAccount, answer: Answer) -> str:
        made = connected_accounts.link(account_id=row.id, actor=answer.actor, now=answer.now)
        copy = render_to_string("portal/parts/copy.html", {"value": made.url, "what": _("the link")})
        link = format_html('<code class="break-all">{}</code> {}', made.url, copy)
        messages.warning(answer.request, format_html(_("The link, shown this once: {} Copy it now."), link))
        return _("Link for %(party)s: made.") % {"party": row.party}


class AskAccount(Dialog):
    """Ask the provider how an account stands."""

    name = "ask"
    label = gettext_lazy("Ask how it stands…")
    icon = "fact_check"
    permission = "disbursements.connect"

    def is_offered(self, row: ConnectedAccount) -> bool:
        return row.is_opened

    def content(self, request: HttpRequest, rows: Sequence[ConnectedAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        return Content(
            title=_("Ask about the account of %(party)s") % {"party": account.party},
            button=_("Ask now"),
            next_step=_("%(rail)s is asked; what changed stands here when it has answered.")
            % {"rail": provider_name(account.provider)},
            version=account.status,
        )

    def act(self, row: ConnectedAccount, answer: Answer) -> str:
        connected_accounts.refresh(account_id=row.id, actor=answer.actor, now=answer.now)
        told = {"party": row.party, "rail": provider_name(row.provider)}
        return _("%(rail)s is being asked about the account of %(party)s.") % told


class TransferForm(PartForm):
    """How much is paid, and what for."""

    too_much: ClassVar[Any] = gettext_lazy("%(left)s is owed; no more than that can be transferred.")
    reference = forms.CharField(
        label=gettext_lazy("What for"),
        max_length=REFERENCE_LENGTH,
        help_text=gettext_lazy("The party sees it too."),
    )
    force = forms.BooleanField(
        label=gettext_lazy("Force it: pay although the same went out within 24 hours"), required=False
    )


class TransferTo(Dialog):
    """Pay a party what is owed to it in its branch, or a part of it; over a limit other people decide first."""

    name = "transfer"
    label = gettext_lazy("Transfer…")
    icon = "send_money"
    permission = "disbursements.transfer"
    steps_up = True

    def is_offered(self, row: ConnectedAccount) -> bool:
        return row.is_payable

    def hindrance(self, row: ConnectedAccount) -> str:
        if stored.owed_to(row).is_positive:
            return ""
        return _("Nothing is owed to %(party)s here.") % {"party": row.party}

    def form(self, request: HttpRequest, rows: Sequence[ConnectedAccount], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return TransferForm(data, left=stored.owed_to(rows[0]))

    def content(self, request: HttpRequest, rows: Sequence[ConnectedAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        owed = stored.owed_to(account)
        rule = rules.matching(kind=TRANSFER.name, money=owed, branch_id=account.branch_id)
        notice = Notice(
            _("Other people decide first"), _("Nothing leaves before they have approved."), tone="pending"
        )
        return Content(
            title=_("Transfer to %(party)s") % {"party": account.party},
            button=_("Transfer"),
            money=owed,
            about=_("To %(account)s at %(rail)s")
            % {"account": account, "rail": provider_name(account.provider)},
            notices=[notice] if rule is not None else [],
            effects=[Effect(_("Owed"), owed, is_result=True)],
            next_step=_("%(rail)s moves the sum to the party's account at once.")
            % {"rail": provider_name(account.provider)},
            version=account.status,
        )

    def act(self, row: ConnectedAccount, answer: Answer) -> str:
        money: Money = answer.data["amount"]
        transfer = transfers.order(
            request=NewTransfer(
                connected_account_id=row.id,
                money=money,
                branch_id=row.branch_id,
                application_id=row.application_id,
                reference=answer.data["reference"],
                force=answer.data["force"],
                nonce=answer.nonce,
            ),
            actor=answer.actor,
            now=answer.now,
        )
        told = {"amount": transfer.money, "party": row.party}
        if transfer.status == TransferStatus.AWAITING_APPROVAL:
            return _("Transfer of %(amount)s to %(party)s asked for; it waits for approval.") % told
        return _("Transfer of %(amount)s to %(party)s is on its way.") % told

    def landing(self, request: HttpRequest, rows: Sequence[ConnectedAccount]) -> str:  # noqa: ARG002 (Dialog's signature)
        return reverse("admin:disbursements_connectedaccount_change", args=[rows[0].id])
