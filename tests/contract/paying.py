"""Scenarios of rails that keep accounts for others and pay them."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from apps.integrations.ports import (
    ConnectRequest,
    ConnectStatus,
    ProviderDeclined,
    ProviderError,
    ProviderUnavailable,
    ProviderUncertain,
    TransferPort,
    TransferReport,
    TransferRequest,
    Window,
)
from apps.integrations.services import providers
from apps.kit import ids
from apps.kit.money import Money
from tests.contract.catalogue import Capability, scenario
from tests.contract.rails import WEB, Rail

AVAILABLE_AFTER = timedelta(days=3)
NEAR = timedelta(hours=1)
PLAYED: tuple[tuple[dict[str, object], type[ProviderError], bool], ...] = (
    ({"action": "reset", "processed": True}, ProviderUncertain, True),
    ({"action": "status", "status": 500, "processed": True}, ProviderUncertain, True),
    ({"action": "reset"}, ProviderUncertain, False),
    ({"action": "status", "status": 500}, ProviderUncertain, False),
    ({"action": "rate_limit", "code": "429"}, ProviderUnavailable, False),
)
"""What goes wrong with a call, how that is told, and whether it was carried out."""

pays = lambda name: scenario(Capability.TRANSFER, name, Capability.CONNECT)  # noqa: E731 (an abbreviation)


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


def wanted(rail: Rail) -> tuple[TransferPort, TransferRequest]:
    """Return a transfer to an account that may be paid, of money that was collected and is available."""
    rail.ask()
    rail.rest()
    rail.let_pass(AVAILABLE_AFTER)
    port = providers.transfer(rail.account.id, now=rail.now)
    return port, TransferRequest(ids.code(), shillings(rail, 40), opened(rail), "week 47")


def shillings(rail: Rail, whole: int) -> Money:
    return Money(whole * 100, rail.account.currency)


@scenario(Capability.CONNECT, "an account is opened once for somebody who tells the provider what it asks")
def account_opened(rail: Rail) -> None:
    opened(rail)
    assert rail.rows() == []


@scenario(
    Capability.CONNECT,
    "an opening without a clear answer opens one account or none, which the list of its time tells to its end",
)
def opening_unanswered(rail: Rail) -> None:
    port = providers.connect(rail.account.id, now=rail.now)
    around = Window(rail.now - NEAR, rail.now + NEAR)
    for fault, told, is_made in PLAYED:
        request = ConnectRequest(ids.code(), "KE", rail.account.currency)
        rail.spoil("connect", fault)
        with pytest.raises(told):
            port.begin(request)
        rail.forget_circuits()
        found = port.find(request.code, around)
        assert (found is not None) is is_made
        opened_now = port.begin(request)
        assert port.find(request.code, around) == opened_now
        assert found in (None, opened_now)
        assert port.find(request.code, Window(rail.now - 2 * NEAR, rail.now - NEAR)) is None


@pays("a transfer is made once, is found again, and comes back whole in parts")
def transferred(rail: Rail) -> None:
    port, request = wanted(rail)
    assert port.find(request) is None
    made = port.send(request)
    assert port.send(request) == port.find(request) == made
    assert made.money == request.money
    for part in (shillings(rail, 15), shillings(rail, 25)):
        code = ids.code()
        back = port.reverse(made.ticket, part, code=code)
        again = port.reverse(made.ticket, part, code=code)
        assert again == port.find_reversal(made.ticket, code=code) == back
        assert back.money == part
    assert (len(rail.rows("transfer")), len(rail.rows("transfer_refund"))) == (1, 2)


@pays("a transfer or a reversal without a clear answer moves once: it is found, or made under the same code")
def transfer_unanswered(rail: Rail) -> None:
    port, first = wanted(rail)
    for fault, told, is_made in PLAYED:
        request = TransferRequest(ids.code(), first.money, first.destination)
        made = _unanswered(
            rail,
            "transfer",
            (fault, told, is_made),
            lambda request=request: port.send(request),  # type: ignore[misc]
            lambda request=request: port.find(request),  # type: ignore[misc]
        )
        code = ids.code()
        _unanswered(
            rail,
            "reversal",
            (fault, told, is_made),
            lambda made=made, code=code: port.reverse(made.ticket, made.money, code=code),  # type: ignore[misc]
            lambda made=made, code=code: port.find_reversal(made.ticket, code=code),  # type: ignore[misc]
        )
    assert [len(rail.rows(kind)) for kind in ("transfer", "transfer_refund")] == [len(PLAYED)] * 2


def _unanswered(
    rail: Rail,
    kind: str,
    played: tuple[dict[str, object], type[ProviderError], bool],
    order: Callable[[], TransferReport],
    find: Callable[[], TransferReport | None],
) -> TransferReport:
    fault, told, is_made = played
    rail.spoil(kind, fault)
    with pytest.raises(told):
        order()
    rail.forget_circuits()
    found = find()
    assert (found is not None) is is_made
    made = order()
    assert made == find()
    assert found in (None, made)
    return made


@pays(
    "what the provider refuses moves nothing: more than is there, to who may not be paid, more back than went"
)
def transfer_refused(rail: Rail) -> None:
    port, request = wanted(rail)
    much = TransferRequest(ids.code(), shillings(rail, 9_999_999), request.destination)
    for is_replayed in (False, True):
        with pytest.raises(ProviderDeclined) as poor:
            port.send(much)
        assert (poor.value.code, poor.value.is_replayed) == ("float_insufficient", is_replayed)
    made = port.send(request)
    with pytest.raises(ProviderDeclined):
        port.reverse(made.ticket, shillings(rail, 41), code=ids.code())
    port.reverse(made.ticket, made.money, code=ids.code())
    with pytest.raises(ProviderDeclined):
        port.reverse(made.ticket, made.money, code=ids.code())
    rail.words.restrict(rail, request.destination)
    status = providers.connect(rail.account.id, now=rail.now).read(request.destination).status
    assert status is ConnectStatus.RESTRICTED
    refused = TransferRequest(ids.code(), request.money, request.destination)
    with pytest.raises(ProviderDeclined) as restricted:
        port.send(refused)
    assert restricted.value.code == "payee_account_restricted"
    assert port.find(refused) is port.find(much) is None
    assert (len(rail.rows("transfer")), len(rail.rows("transfer_refund"))) == (1, 1)
