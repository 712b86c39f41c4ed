"""
Every scenario that a rail of collections is held to, and what a rail needs for it.

A rail plays every scenario of every capability that it has, and says of each other one why it lacks it. What it says is
compared with what it does, so that nothing is left out in silence.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from apps.integrations.ports import (
    AppealPort,
    BalancePort,
    CapturePort,
    CollectionPort,
    ConnectionPort,
    ConnectPort,
    DisputePort,
    InboundPort,
    MethodPort,
    QrPort,
    RefundPort,
    RefundQueryPort,
    RefundSearchPort,
    StatementPort,
    StatusPort,
    TransferPort,
    WebhookPort,
)
from apps.payments.contracts import Choice, Method

if TYPE_CHECKING:
    from tests.contract.rails import Rail

type Play = Callable[["Rail"], None]


class Capability(StrEnum):
    """What a rail can do: one for each port, then what no port says of a rail."""

    COLLECT = "collect"
    CONNECTION = "try its secrets"
    CAPTURE = "hold a sum back"
    STATUS = "ask after a receipt"
    STATEMENT = "list movements"
    INBOUND = "tell of money unasked"
    REFUND = "give back"
    BALANCE = "tell balances"
    QR = "draw a code"
    REFUND_QUERY = "ask after a refund"
    REFUND_SEARCH = "find a refund again"
    DISPUTE = "tell of disputes"
    APPEAL = "take appeals"
    METHOD = "keep a way to pay"
    CONNECT = "open accounts for others"
    TRANSFER = "pay such accounts"
    WEBHOOK = "sign its messages"
    PART_REFUND = "give back a part"
    REQUEST_KEY = "know a repeated request"
    WITHDRAW = "call a request back"
    CALLBACK = "call back at an address of the payment"
    TOKEN = "fetch a token first"
    LATE = "pay after a failure"
    SILENCE = "be given up when nobody answers"
    TURN_BACK = "turn a refund back after it was given"


PORTS: Mapping[Capability, type] = {
    Capability.COLLECT: CollectionPort,
    Capability.CONNECTION: ConnectionPort,
    Capability.CAPTURE: CapturePort,
    Capability.STATUS: StatusPort,
    Capability.STATEMENT: StatementPort,
    Capability.INBOUND: InboundPort,
    Capability.REFUND: RefundPort,
    Capability.BALANCE: BalancePort,
    Capability.QR: QrPort,
    Capability.REFUND_QUERY: RefundQueryPort,
    Capability.REFUND_SEARCH: RefundSearchPort,
    Capability.DISPUTE: DisputePort,
    Capability.APPEAL: AppealPort,
    Capability.METHOD: MethodPort,
    Capability.CONNECT: ConnectPort,
    Capability.TRANSFER: TransferPort,
    Capability.WEBHOOK: WebhookPort,
}
WAYS = frozenset(
    {
        Capability.CALLBACK,
        Capability.TOKEN,
        Capability.LATE,
        Capability.SILENCE,
        Capability.TURN_BACK,
    }
)
"""Capabilities of a rail that no port says and that have scenarios: what follows from how its payers and messages go."""
TRAITS: dict[Capability, Callable[["Rail"], bool]] = {}
"""Of each capability that has no port: how a rail is tried for it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story of a rail: ``play`` ends well or fails; ``name`` says what holds, of a rail that has all that it ``needs``."""

    name: str
    needs: tuple[Capability, ...]
    play: Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """
    What a rail calls things, for scenarios that are written once.

    ``paths`` is where each kind of call goes at the simulator, behind its method where others go there too, ``kinds`` what ``ProviderCall`` calls it. ``declines``
    are the codes of the provider by which a payer's payment fails, with ours; ``refusals`` are answers that refuse a
    request at once; ``nobodys`` is a code that nobody has listed;
    ``leaves_open``: a refund that is refused with it may have been made. ``till`` is a number to which nothing can be typed, and
    ``numbers`` are all that may be paid.
    ``payer_forms`` is how the simulator is told to hide payers. ``lacks`` says why the rail has no such capability.
    All of it is played in ``currency``; ``is_taken_by_order``: what a payer agreed to moves only when we have it taken; ``gives_up_after`` is how many seconds after a refusal a payer can pay no more,
    ``too_old`` how many seconds after it was signed a message proves nothing any more.
    ``choice`` says how a payer is asked, of ``payer``, who pays at once, and of ``decides``, for whom a person decides;
    ``code_of`` reads our code in a row of the statement, ``asks_still`` looks whether the newest request is still open;
    ``keep`` lets the payer of a ticket have his way to pay kept, ``turn_down`` try with what its bank refuses; ``pages`` is where the simulator lists the pages for that, ``token`` what comes of one.
    ``dispute`` has a payer take a receipt back and returns the ticket of that, ``lose`` the same and the provider say that he is right, ``overrule`` say then that he is not, ``heard`` tells how often the provider has heard us, ``onboard`` the owner of an account tell all that is asked at a link, ``restrict`` the provider ask him for more before he is paid again, ``fail_refund`` a refund fail after it was given.
    """

    name: str
    method: Method
    face: str
    payer: str
    paths: Mapping[str, str]
    kinds: Mapping[str, str]
    declines: tuple[tuple[str, str], ...]
    refusals: tuple[tuple[Mapping[str, object], str], ...]
    refund_declines: tuple[str, ...]
    refunded_before: str
    nobodys: str
    numbers: tuple[str, ...]
    lacks: Mapping[Capability, str]
    choice: Callable[[str], Choice]
    decides: str
    code_of: Callable[[Mapping[str, Any]], str]
    asks_still: Callable[["Rail"], bool]
    keep: Callable[["Rail", str], object] = lambda *_: None
    turn_down: Callable[["Rail", str], object] = lambda *_: None
    pages: str = ""
    token: str = ""
    dispute: Callable[["Rail", str], str] = lambda *_: ""
    lose: Callable[["Rail", str], str] = lambda *_: ""
    overrule: Callable[["Rail", str], object] = lambda *_: None
    heard: Callable[[Mapping[str, Any]], int] = lambda _: 0
    onboard: Callable[["Rail", str], object] = lambda *_: None
    restrict: Callable[["Rail", str], object] = lambda *_: None
    fail_refund: Callable[["Rail", str], object] = lambda *_: None
    gives_up_after: int = 3
    too_old: int = 301
    currency: str = "KES"
    is_taken_by_order: bool = False
    leaves_open: bool = False
    till: str = ""
    payer_forms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


SCENARIOS: dict[str, Scenario] = {}


def scenario(needs: Capability, name: str, *also: Capability) -> Callable[[Play], Play]:
    """Put a story into the catalogue; ``needs`` is what it is about, ``also`` what it takes beside that."""

    def keep(play: Play) -> Play:
        assert name not in SCENARIOS, f"two scenarios are called {name!r}"
        SCENARIOS[name] = Scenario(name, (needs, *also), play)
        return play

    return keep


def trait(capability: Capability) -> Callable[[Callable[["Rail"], bool]], Callable[["Rail"], bool]]:
    """Say how a rail is tried for what no port says of it."""

    def keep(tried: Callable[["Rail"], bool]) -> Callable[["Rail"], bool]:
        TRAITS[capability] = tried
        return tried

    return keep


def complaints(*, offered: Iterable[type], lacks: Mapping[Capability, str]) -> list[str]:
    """Return what is wrong with a declaration: a port neither kept nor declared as lacking, one that is both, no reason."""
    kept = set(offered)
    found = []
    for capability, port in PORTS.items():
        if port in kept and capability in lacks:
            found.append(f"{capability}: declared as lacking, and {port.__name__} is kept")
        elif port not in kept and capability not in lacks:
            found.append(f"{capability}: {port.__name__} is not kept, and nothing says why")
    found += [f"{port.__name__}: the catalogue has no scenario" for port in kept - set(PORTS.values())]
    found += [f"{capability}: no reason is given" for capability, why in lacks.items() if not why.strip()]
    return found


def to_play(lacks: Iterable[Capability]) -> list[Scenario]:
    """Return the scenarios of a rail that lacks these capabilities."""
    left_out = set(lacks)
    return [one for one in SCENARIOS.values() if not left_out.intersection(one.needs)]


def table(titles: Mapping[str, Mapping[Capability, str]]) -> list[str]:
    """Return the lines of the table of scenarios and rails; ``titles`` is what each rail lacks, by its name for people."""
    lines = [f"| scenario | needs | {' | '.join(titles)} |", f"|---|---|{'---|' * len(titles)}"]
    for one in SCENARIOS.values():
        played = ["played" if one in to_play(lacks) else "lacks it" for lacks in titles.values()]
        lines.append(f"| {one.name} | {', '.join(one.needs)} | {' | '.join(played)} |")
    return lines


def declaration(lacks: Mapping[Capability, str]) -> list[str]:
    """Return the lines of the table of what one rail has and lacks."""
    played = to_play(lacks)
    counts = {each: sum(one.needs[0] is each for one in played) for each in Capability}
    lines = ["| capability | scenarios |", "|---|---|"]
    for each in Capability:
        has = f"{counts[each]}, all played" if counts[each] else "has it"
        lines.append(f"| {each} | {f'lacks it: {lacks[each]}' if each in lacks else has} |")
    return lines
