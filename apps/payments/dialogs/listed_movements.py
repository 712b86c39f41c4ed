"""What people do with listed movements: put away what they have found out about."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.payments.contracts import RESOLVE
from apps.payments.models import ListedMovement
from apps.payments.services import listed_movements


class PutMovementAway(Dialog):
    """Say that nothing is left to be done about listed movements, and why."""

    name = "put-away"
    label = gettext_lazy("Put away…")
    icon = "archive"
    permission = RESOLVE
    steps_up = True
    on_selection = True
    form_class = ReasonForm

    def is_offered(self, row: ListedMovement) -> bool:
        return row.is_open

    def content(self, request: HttpRequest, rows: Sequence[ListedMovement]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        told = {"movement": rows[0].receipt or rows[0].number, "count": count}
        return Content(
            title=ngettext("Put %(movement)s away", "Put %(count)d movements away", count) % told,
            button=ngettext("Put it away", "Put %(count)d away", count) % told,
            effects=[Effect(str(row), row.money) for row in rows],
            next_step=_(
                "It moves no money and books nothing. It stays in the list of what was put away, with your reason, for good."
            ),
            version=" ".join(row.status for row in rows),
        )

    def act(self, row: ListedMovement, answer: Answer) -> str:
        reason = answer.data["reason"]
        listed_movements.put_away(movement_id=row.id, reason=reason, actor=answer.actor, now=answer.now)
        return _("%(movement)s: put away.") % {"movement": row}
