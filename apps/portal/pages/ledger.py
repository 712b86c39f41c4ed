"""The ledger explorer: from the balances of all accounts to the entries of one."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.kit import clock
from apps.kit.admin import BEFORE
from apps.kit.dialog_admin import exporting
from apps.kit.dialogs import Button, button
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import accounts as ledger_accounts
from apps.ledger.selectors import entries
from apps.portal.pages import frame
from apps.portal.selectors import ledger, states
from apps.tenancy.selectors import organisations


@frame.page("ledger.view")
def accounts(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("role", "")
    role = AccountRole(chosen) if chosen in list(AccountRole) else None
    books = ledger_accounts.with_balances(request.user, role=role)
    return frame.render(
        request,
        "portal/accounts.html",
        title=_("Ledger"),
        as_of=clock.now(),
        sections=ledger.sections(books),
        proof=() if role else ledger.proof(books, request.user),
        badges=states.ACCOUNT,
        is_filtered=role is not None,
        page_buttons=_export_button(request),
    )


def _books(request: HttpRequest) -> organisations.Organisation:  # noqa: ARG001 (the dialog's own reading asks him)
    return organisations.current()


EXPORT = exporting("ledger_entries")
export = frame.dialog(EXPORT, find=_books, back=lambda: reverse("portal-accounts"))
"""The entries of all accounts that the reader sees, or of those of the chosen role."""


def _export_button(request: HttpRequest) -> list[Button]:
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    address = reverse("portal-ledger-export") + query
    return button(request, EXPORT, organisations.current(), address)


@frame.page("ledger.view")
def account(request: HttpRequest, account_uid: UUID) -> HttpResponse:
    now = clock.now()
    shown = ledger_accounts.get(account_uid, request.user)
    before = request.GET.get(BEFORE, "")
    page = entries.page(shown, before=before)
    return frame.render(
        request,
        "portal/account.html",
        title=f"{shown.code} {shown.name}",
        crumbs=[frame.Crumb(_("Ledger"), reverse("portal-accounts"))],
        as_of=now,
        month_start=timezone.localdate(now).replace(day=1),
        account=shown,
        badge=states.ACCOUNT[shown.status],
        month=ledger.month(shown, now=now),
        sections=ledger.sections(ledger_accounts.with_balances(request.user)),
        lines=page.lines,
        pages=frame.Pages(newer="newest" if before else "", older=page.older),
    )
