"""What people do with an account of which nobody knows whether it was opened: one says that none was, another agrees."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.disbursements.models import ConnectedAccount
from apps.disbursements.services import account_verdicts
from apps.integrations.contracts import provider_name
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Effect, Notice
from apps.kit.verdict_dialogs import CloseUnknown, others_decide


class CloseUnknownAccount(CloseUnknown):
    """Say that a provider of which nobody knows opened no account; another person agrees before it counts."""

    name = "close"
    label = gettext_lazy("Close as not opened…")
    permission = "disbursements.connect"
    wait = gettext_lazy(
        "The provider may still tell. Wait until it has forgotten the request for a day, and for a question that is due."
    )

    def may_be_answered(self, row: ConnectedAccount) -> bool:
        return account_verdicts.may_be_answered(row, now=clock.now())

    def content(self, request: HttpRequest, rows: Sequence[ConnectedAccount]) -> Content:  # noqa: ARG002 (the row says all)
        [account] = rows
        rail = {"rail": provider_name(account.provider), "party": account.party}
        return Content(
            title=_("Close the account of %(party)s as not opened") % rail,
            button=_("Ask to close it"),
            notices=[
                Notice(
                    _("Does %(rail)s show it? Then do not close it") % rail,
                    _(
                        "It is found by itself once the list can be read: mend what the page says stands in the way."
                    ),
                ),
                others_decide(),
            ],
            effects=[
                Effect(_("Look on the pages of %(rail)s for") % rail, account.code),
                Effect(_("The account"), _("Not opened, and the party can be connected again")),
                Effect(_("If it is found after all"), _("Marked here and told, and not used")),
            ],
            next_step=_(
                "It cannot be recalled. Write below what shows that %(rail)s opened none: which pages, of which days."
            )
            % rail,
            version=f"{account.status}:{account.next_query_at}",
        )

    def act(self, row: ConnectedAccount, answer: Answer) -> str:
        account_verdicts.ask(
            account_id=row.id, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("It waits for approval that the account of %(party)s is closed.") % {"party": row.party}
