"""What people do with a transfer of which the provider told another sum: one says what became of it, another agrees."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.disbursements.contracts import TransferVerdict
from apps.disbursements.models import Transfer
from apps.disbursements.models.order import TICKET_LENGTH
from apps.disbursements.services import transfer_verdicts
from apps.integrations.contracts import provider_name
from apps.kit import clock, typed_sums
from apps.kit.dialogs import Answer, Content, Effect, ReasonForm
from apps.kit.money import Money, MoneyInvalid
from apps.kit.verdict_dialogs import CloseUnknown, others_decide


class VerdictForm(ReasonForm):
    """What became of the transfer, and what shows it; ``cleaned_data["amount"]`` is money, or None where nothing was moved."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("What became of it"),
        choices=[
            ("", gettext_lazy("Choose")),
            (TransferVerdict.MADE.value, gettext_lazy("The provider moved a sum")),
            (TransferVerdict.NOT_MADE.value, gettext_lazy("The provider moved nothing")),
        ],
    )
    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        help_text=gettext_lazy("As the provider's pages show it, where a sum was moved."),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    ticket = forms.CharField(
        label=gettext_lazy("Id at the provider"),
        help_text=gettext_lazy("Of the transfer, where a sum was moved."),
        max_length=TICKET_LENGTH,
        required=False,
    )
    field_order = ("verdict", "amount", "ticket", "reason")

    def __init__(self, data: Any = None, *, currency: str) -> None:
        super().__init__(data)
        self.currency = currency
        self.fields["amount"].label = _("Amount in %(currency)s") % {"currency": currency}

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        is_made = found.get("verdict") == TransferVerdict.MADE
        written = {name: str(found.get(name) or "").strip() for name in ("amount", "ticket")}
        for name, text in written.items():
            if is_made and not text:
                self.add_error(name, _("Write it: without it nobody can say that a sum was moved."))
            if found.get("verdict") == TransferVerdict.NOT_MADE and text:
                self.add_error(name, _("Where nothing was moved there is none."))
        found["amount"] = self._money(written["amount"]) if is_made and written["amount"] else None
        return found

    def _money(self, text: str) -> Money | None:
        try:
            return typed_sums.read(text, self.currency)
        except MoneyInvalid as refusal:
            self.add_error("amount", refusal.detail)
            return None


class CloseUnknownTransfer(CloseUnknown):
    """Say what became of a transfer that ends by itself no more; another person agrees before it counts."""

    name = "close"
    label = gettext_lazy("Close…")
    permission = "disbursements.transfer"

    def may_be_answered(self, row: Transfer) -> bool:
        return transfer_verdicts.may_be_answered(row, now=clock.now())

    def form(self, request: HttpRequest, rows: Sequence[Transfer], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return VerdictForm(data, currency=rows[0].currency)

    def content(self, request: HttpRequest, rows: Sequence[Transfer]) -> Content:  # noqa: ARG002 (the row says all)
        [transfer] = rows
        rail = {"rail": provider_name(transfer.provider), "code": transfer.code}
        return Content(
            title=_("Close transfer %(reference)s") % {"reference": transfer.reference},
            button=_("Ask to close it"),
            money=transfer.money,
            about=_("Look for %(code)s on the pages of %(rail)s first, and ask there why the sums differ.")
            % rail,
            notices=[others_decide()],
            effects=[
                Effect(_("If a sum was moved"), _("Booked, and what differs is owed more or less")),
                Effect(_("If nothing was"), _("Failed, and all of it is owed again")),
            ],
            next_step=_("It cannot be recalled, and %(rail)s is not asked about it any more.") % rail,
            typed_money=transfer.money,
            version=f"{transfer.status}:{transfer.next_query_at}",
        )

    def act(self, row: Transfer, answer: Answer) -> str:
        transfer_verdicts.ask(
            transfer_id=row.id,
            moved=answer.data["amount"],
            ticket=answer.data["ticket"],
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("It waits for approval how transfer %(reference)s is closed.") % {"reference": row.reference}
