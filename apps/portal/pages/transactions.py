"""One transaction of the ledger: its entries and their source, its proof, and the dialog that asks to reverse it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors import scope
from apps.kit import clock
from apps.kit.dialogs import Answer, Button, Content, Dialog, Effect, Notice, ReasonForm, button
from apps.ledger.selectors import books, proofs, seals, transactions
from apps.ledger.selectors.transactions import BookedLeg, BookedTransaction
from apps.ledger.services import reversal_requests, reversals
from apps.portal.contracts import Fact, Target
from apps.portal.pages import frame
from apps.portal.selectors import handwritten, ledger, words
from apps.portal.services import downloads

LEGS_SHOWN = 12


@frame.page("ledger.view")
def show(request: HttpRequest, transaction_uid: UUID) -> HttpResponse:
    booked = transactions.get(transaction_uid, request.user)
    return frame.render(
        request,
        "portal/transaction.html",
        title=booked.description or booked.number,
        crumbs=[frame.Crumb(_("Ledger"), reverse("portal-accounts"))],
        transaction=booked,
        booking=ledger.booking(booked, request.user),
        booked_by=words.actor(booked.created_by),
        approved_by=words.actor(booked.approved_by) if booked.approved_by else "",
        kind=words.TRANSACTION_KINDS[booked.kind],
        reversal=handwritten.reversal_of(booked, request.user),
        sees_approvals=request.user.has_perm("approvals.view"),
        page_buttons=_reverse_button(request, booked),
        seal=seals.of_transactions([booked.id]).get(booked.id),
        proof_name=_proof_name(booked),
        related=[
            Target("transaction", other.uid, words.RELATED[name] % {"number": other.number})
            for name, other in booked.related.items()
        ],
        source=Target("payment", booked.source_id, _("Payment"))
        if booked.source_type == "payment_intent"
        else None,
        identifiers=[Fact(_("Number"), booked.number), Fact(_("Transaction"), str(booked.uid))],
    )


@frame.page("ledger.view")
def proof(request: HttpRequest, transaction_uid: UUID) -> HttpResponse:
    """Answer with the proof as a file, the same bytes as over the API, or say why there is none."""
    booked = transactions.get(transaction_uid, request.user)
    try:
        text = proofs.as_text(proofs.of(booked.uid, request.user))
    except (proofs.ProofNotReady, proofs.ProofBroken) as refusal:
        return frame.render(
            request,
            "portal/proof_refused.html",
            title=_("Proof"),
            status=refusal.status,
            crumbs=[
                frame.Crumb(_("Ledger"), reverse("portal-accounts")),
                frame.Crumb(booked.number, reverse("portal-transaction", args=[booked.uid])),
            ],
            transaction=booked,
            is_broken=isinstance(refusal, proofs.ProofBroken),
        )
    downloads.record(
        what="ledger_proof", object_id=str(booked.uid), reader=request.user, now=clock.now(), of=booked.number
    )
    return HttpResponse(
        text,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{_proof_name(booked)}"'},
    )


def _proof_name(booked: BookedTransaction) -> str:
    return f"proof-{booked.number}.json"


class ReversalForm(ReasonForm):
    """Why, and on which day."""

    effective_date = forms.DateField(
        label=gettext_lazy("Date"),
        help_text=gettext_lazy("Not before the transaction itself, and in a period that is open."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


class Reverse(Dialog):
    """Ask another person to agree that the opposite of a transaction is booked."""

    name = "reverse"
    label = gettext_lazy("Reverse…")
    icon = "undo"
    permission = "ledger.adjust"
    steps_up = True
    is_danger = True
    form_class = ReversalForm

    def is_offered(self, row: BookedTransaction) -> bool:
        return row.kind in reversals.REVERSIBLE and "reversed_by" not in row.related

    def content(self, request: HttpRequest, rows: Sequence[BookedTransaction]) -> Content:  # noqa: ARG002 (the rows say all)
        booked = rows[0]
        totals = booked.totals
        return Content(
            title=_("Reverse %(number)s") % {"number": booked.number},
            button=_("Ask for the reversal of %(amount)s") % {"amount": totals[0]}
            if len(totals) == 1
            else _("Ask for the reversal"),
            money=totals[0] if len(totals) == 1 else None,
            about=booked.description,
            notices=_notices(booked),
            effects=_turned(booked.legs),
            next_step=_(
                "Another person decides first. Then these lines are booked; the transaction itself stays, and its"
                " reversal cannot be reversed."
            ),
        )

    def form(self, request: HttpRequest, rows: Sequence[BookedTransaction], data: Any = None) -> forms.Form:  # noqa: ARG002 (nobody is asked)
        day = max(books.today(clock.now()), rows[0].effective_date)
        return ReversalForm(data, initial={"effective_date": day})

    def act(self, row: BookedTransaction, answer: Answer) -> str:
        reversal_requests.ask(
            transaction_id=row.uid,
            reason=" ".join(answer.data["reason"].split()),
            effective_date=answer.data["effective_date"],
            actor=answer.actor,
            now=answer.now,
            within=scope.own_branch_ids(answer.request.user),
        )
        return _("Reversal of %(number)s asked for; another person decides.") % {"number": row.number}


def _reversible(request: HttpRequest, transaction_uid: UUID) -> BookedTransaction:
    """Return a transaction that this person may ask to reverse, or raise why he may not, in words."""
    booked = transactions.get(transaction_uid, request.user)
    reversal_requests.require_possible(transaction_id=booked.uid, within=scope.own_branch_ids(request.user))
    return booked


reverse_dialog = frame.dialog(
    Reverse,
    find=_reversible,
    back=lambda transaction_uid: reverse("portal-transaction", args=[transaction_uid]),
)


def _reverse_button(request: HttpRequest, booked: BookedTransaction) -> list[Button]:
    own = scope.own_branch_ids(request.user)
    if own is not None and not {leg.branch_id for leg in booked.legs} <= own:
        return []
    return button(request, Reverse, booked, reverse("portal-reverse", args=[booked.uid]))


def _notices(booked: BookedTransaction) -> list[Notice]:
    """Warn where a booking was caused by something that its reversal does not undo."""
    if booked.source_type == "journal":
        return []
    return [
        Notice(
            _("Only the books change"),
            _(
                "What caused this booking stays as it is. To give a payer his money back, make a refund instead."
            ),
        )
    ]


def _turned(legs: Sequence[BookedLeg]) -> list[Effect]:
    """Say what will be booked: every leg on its other side, as many as a dialog holds."""
    lines = [
        Effect(
            f"{leg.account_code} {leg.account_name}",
            _("credit %(amount)s") % {"amount": leg.debit}
            if leg.debit
            else _("debit %(amount)s") % {"amount": leg.credit},
        )
        for leg in legs[:LEGS_SHOWN]
    ]
    left = len(legs) - LEGS_SHOWN
    if left > 0:
        lines.append(Effect(_("and more"), _("%(count)d lines, as on the page") % {"count": left}))
    return lines
