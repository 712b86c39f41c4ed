"""
How a line says what an address of the portal answers to whom.

``needs`` is the permission that opens it; ``a|b`` is one of them, ``a&b`` both, "" any member, None nobody. Roles are nothing but
sets of permissions, so that no row changes when a role is given others.

- ``own``: what a member of all branches gets who has just what it needs
- ``elsewhere``: what the same member gets when he works for another branch alone
- ``refused``: what a member gets who has every permission but that, if the row is not ``gone`` for him

Answers are noted as in ``api_rows``: ``200+`` shows the canary of acme, ``200`` does not. ``gone`` is what people are told
of a row that they cannot see: 404, or the way back to the first page.
"""

from dataclasses import dataclass

GONE = "gone"
NOT_NOW = "409"
"""What a dialog says of a row that is not in a state for it, and of one that the person does not see: it tells them not apart."""


@dataclass(frozen=True, slots=True)
class Page:
    """One address."""

    needs: str | None
    own: str = "200+"
    elsewhere: str = GONE
    refused: str = "403"


def of_row(needs: str, own: str = "200+") -> Page:
    """Return the line of a dialog about one row."""
    return Page(needs, own, elsewhere=NOT_NOW)


def of_chosen(needs: str) -> Page:
    """Return the line of a dialog about rows that were chosen in the list, here none, or of what is settled by now."""
    return Page(needs, own=NOT_NOW, elsewhere=NOT_NOW)


def of_book(needs: str, own: str = "200") -> Page:
    """Return the row of what is of the whole book: only who works for all branches may."""
    return Page(needs, own=own, elsewhere="403")
