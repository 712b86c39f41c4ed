"""What people do with what providers sent."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.integrations.contracts import (
    CallbackStatus,
)
from apps.integrations.models import ProviderCallback
from apps.integrations.selectors import exchanges, kinds
from apps.integrations.services import (
    registrations,
    replays,
)
from apps.jobs.services.jobs import Job
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm


class ReplayCallback(Dialog):
    """Read stored callbacks again, as they came."""

    name = "replay"
    label = gettext_lazy("Replay callback…")
    icon = "replay"
    permission = replays.PERMISSION
    steps_up = True
    on_selection = True
    form_class = ReasonForm

    def is_offered(self, row: ProviderCallback) -> bool:
        return row.kind != registrations.CHECK and row.processing.status != CallbackStatus.FORGED

    def content(self, request: HttpRequest, rows: Sequence[ProviderCallback]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Replay the callback", "Replay %(count)d callbacks", count) % {"count": count},
            button=ngettext("Replay the callback", "Replay %(count)d callbacks", count) % {"count": count},
            effects=[
                Effect(
                    kinds.named(row),
                    row.processing.note or str(kinds.CALLBACK_STATES[CallbackStatus(row.processing.status)]),
                )
                for row in rows
            ],
            next_step=_(
                "The very bytes are read, checked and applied again. What was applied before has no second effect."
            ),
            version=" ".join(row.processing.status for row in rows),
        )

    def act(self, row: ProviderCallback, answer: Answer) -> str:
        reason = answer.data["reason"]
        found = replays.replay(callback_id=row.id, actor=answer.actor, now=answer.now, reason=reason)
        told = {"callback": kinds.named(row), "note": found.note}
        if found.status == CallbackStatus.UNMATCHED:
            return _("%(callback)s: still waits. %(note)s") % told
        if found.is_undone:
            return _("%(callback)s: nothing in it is to be applied. %(note)s") % told
        return _("%(callback)s: applied, and once only.") % told


class ReplayWaiting(Dialog):
    """Have a worker read again whatever waits for people."""

    name = "replay-waiting"
    label = gettext_lazy("Replay what waits…")
    icon = "replay"
    permission = replays.PERMISSION
    steps_up = True
    on_list = True
    form_class = ReasonForm
    job: Job | None = None

    def content(self, request: HttpRequest, rows: Sequence[ProviderCallback]) -> Content:  # noqa: ARG002 (the whole list)
        waiting = exchanges.callbacks_visible_to(request.user).waiting().count()
        return Content(
            title=_("Replay the callbacks that wait"),
            button=_("Replay what waits"),
            effects=[Effect(_("Waiting"), str(waiting), is_live=True)],
            next_step=_("A job reads one after the other. You can leave the page meanwhile, and stop it."),
        )

    def perform(self, rows: Sequence[ProviderCallback], answer: Answer) -> list[str]:  # noqa: ARG002 (the whole list)
        self.job = replays.start(
            caller=answer.request.user, actor=answer.actor, now=answer.now, reason=answer.data["reason"]
        )
        return [_("The replay has started.")]

    def landing(self, request: HttpRequest, rows: Sequence[ProviderCallback]) -> str:  # noqa: ARG002 (the job's page)
        return reverse("portal-job", args=[self.job.id]) if self.job else ""
