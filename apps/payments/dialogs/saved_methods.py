"""What people do with a way to pay that a payer lets us keep: have it forgotten."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.integrations.contracts import provider_name
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.payments.contracts.saving import CONSENT_USES, ConsentUse, SavedMethodStatus
from apps.payments.models import SavedMethod
from apps.payments.services import saved_methods


class ForgetMethod(Dialog):
    """Charge a saved method no more, and have the provider forget it."""

    name = "forget"
    label = gettext_lazy("Forget…")
    icon = "delete_forever"
    permission = "payments.forget"
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: SavedMethod) -> bool:
        is_kept = row.is_open or row.status == SavedMethodStatus.ACTIVE
        return is_kept and row.forget_requested_at is None

    def content(self, request: HttpRequest, rows: Sequence[SavedMethod]) -> Content:  # noqa: ARG002 (the row says all)
        [saved] = rows
        return Content(
            title=_("Forget %(method)s") % {"method": saved},
            button=_("Forget it"),
            about=saved.payer_name or saved.payer_reference,
            effects=[
                Effect(_("Payer's id"), saved.payer_reference),
                Effect(_("Agreed to"), str(CONSENT_USES[ConsentUse(saved.consent_use)])),
            ],
            next_step=_(
                "Nothing is charged by it any more, and %(rail)s is told to forget it. The payer has to agree there again."
            )
            % {"rail": provider_name(saved.provider)},
            version=saved.status,
        )

    def act(self, row: SavedMethod, answer: Answer) -> str:
        reason = answer.data["reason"]
        saved_methods.forget(method_id=row.id, actor=answer.actor, now=answer.now, reason=reason)
        return _("%(method)s is charged no more and is being forgotten.") % {"method": row}
