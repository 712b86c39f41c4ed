"""One transaction of the ledger: its entries, where it comes from, and the proof that it is sealed as it is."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.ledger.selectors import proofs, seals, transactions
from apps.portal.contracts import Fact, Target
from apps.portal.pages import frame
from apps.portal.selectors import ledger, words


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
    return HttpResponse(
        text,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{_proof_name(booked)}"'},
    )


def _proof_name(booked: transactions.BookedTransaction) -> str:
    return f"proof-{booked.number}.json"
