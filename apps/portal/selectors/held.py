"""What providers say that they hold, beside the books."""

from django.urls import reverse

from apps.access.selectors.scope import Principal
from apps.integrations.selectors import accounts, holdings
from apps.portal.contracts import HeldLine


def of(caller: Principal) -> tuple[HeldLine, ...]:
    """Return the caller's provider accounts that have told a balance, by name: the books are those of all branches."""
    visible = {account.id: account for account in accounts.visible_to(caller).order_by("label", "id")}
    found = holdings.newest(visible)
    return tuple(
        HeldLine(str(account), reverse("admin:integrations_provideraccount_change", args=[id_]), found[id_])
        for id_, account in visible.items()
        if id_ in found
    )
