"""Scenarios of rails that keep accounts for others and pay them."""

from apps.integrations.ports import ConnectRequest, ConnectStatus, TransferRequest
from apps.integrations.services import providers
from apps.kit import ids
from apps.kit.money import Money
from tests.contract.catalogue import Capability, scenario
from tests.contract.rails import WEB, Rail


def opened(rail: Rail) -> str:
    """Return an account whose owner has told the provider everything; the same request opens none beside it."""
    port = providers.connect(rail.account.id, now=rail.now)
    request = ConnectRequest(ids.code(), "KE", rail.account.currency)
    ticket = port.begin(request).value
    assert port.begin(request).value == ticket
    told = port.read(ticket)
    assert (told.status, bool(told.needs)) == (ConnectStatus.PENDING, True)
    rail.words.onboard(rail, port.link(ticket, return_url=f"{WEB}/back", refresh_url=f"{WEB}/again").url)
    assert port.read(ticket).status is ConnectStatus.ENABLED
    return ticket


@scenario(Capability.CONNECT, "an account is opened once for somebody who tells the provider what it asks")
def account_opened(rail: Rail) -> None:
    opened(rail)
    assert rail.rows() == []


@scenario(
    Capability.TRANSFER,
    "a transfer is made once, is found again, and comes back whole in parts",
    Capability.CONNECT,
)
def transferred(rail: Rail) -> None:
    port = providers.transfer(rail.account.id, now=rail.now)
    request = TransferRequest(ids.code(), Money(40_00, rail.account.currency), opened(rail), "week 47")
    assert port.find(request) is None
    made = port.send(request)
    assert port.send(request) == port.find(request) == made
    assert made.money == request.money
    for part in (Money(15_00, rail.account.currency), Money(25_00, rail.account.currency)):
        code = ids.code()
        back = port.reverse(made.ticket, part, code=code)
        assert (
            port.reverse(made.ticket, part, code=code) == port.find_reversal(made.ticket, code=code) == back
        )
        assert back.money == part
    assert len(rail.rows()) == 3
