"""The rails whose payers dispute what they paid, each read in the same shape: so the same deeds and truths serve them all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.kit.money import Money
from tests.factories.integrations import PAYPAL
from tests.simulation import cards, wallets
from tests.simulation.world import STRIPE, World

Body = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """
    A dispute as its provider has it: ``heard`` is how often we were, ``end`` won, lost or closed, empty while it is open.
    ``may_go_on``: it may be taken a step further, and asks anew then; ``may_appeal``: it is lost, and looked at again where we ask for that.
    """

    rail: "Rail"
    ticket: str
    money: Money
    is_inquiry: bool
    may_go_on: bool
    may_appeal: bool
    is_asked: bool
    heard: int
    end: str

    @property
    def is_open(self) -> bool:
        """Say whether nobody has decided it."""
        return not self.end


@dataclass(frozen=True)
class Rail:
    """
    How payers of one provider dispute: ``claims`` is what they say, ``endings`` how it may be decided. ``disputable`` returns the
    payments of which something is left, each with a part of it in the rail's words.
    """

    face: str
    account: str
    paid: str
    claims: tuple[dict[str, str], ...]
    endings: tuple[str, ...]
    disputable: Callable[[World], list[tuple[str, Any]]]
    read: Callable[[Body], dict[str, Any]]

    def told(self, world: World) -> list[Told]:
        """Return what the provider has of disputes, the newest first."""
        return [Told(rail=self, **self.read(one)) for one in cards.listed(world, "disputes", face=self.face)]

    def act(self, world: World, kind: str, identifier: str, deed: str, **given: object) -> str:
        """Let a payer, a bank or the provider do something; return done or refused."""
        return cards.act(world, kind, identifier, deed, face=self.face, **given)


def _charges(world: World) -> list[tuple[str, Any]]:
    left = {
        one["id"]: int(one["amount_captured"]) - int(one["amount_refunded"])
        for one in cards.listed(world, "charges")
        if not one["disputed"]
    }
    return [(charge, max(minor // 200 * 100, 1)) for charge, minor in left.items() if minor > 0]


def _of_card(one: Body) -> dict[str, Any]:
    ends = {"won": "won", "lost": "lost", "warning_closed": "closed"}
    is_inquiry = one["status"].startswith("warning")
    return {
        "ticket": one["id"],
        "money": Money(one["amount"], one["currency"].upper()),
        "is_inquiry": is_inquiry,
        "may_go_on": is_inquiry,
        "may_appeal": False,
        "is_asked": one["status"].endswith("needs_response"),
        "heard": one["evidence_details"]["submission_count"],
        "end": ends.get(one["status"], ""),
    }


def _captures(world: World) -> list[tuple[str, Any]]:
    about = {
        one["disputed_transactions"][0]["seller_transaction_id"]
        for one in wallets.listed(world, "disputes")
        if one["status"] != "RESOLVED"
    }
    return [
        (one["id"], Money(_sum(one["amount"]).minor // 2, one["amount"]["currency_code"]).text)
        for one in wallets.listed(world, "captures")
        if one["status"] in ("COMPLETED", "PARTIALLY_REFUNDED") and one["id"] not in about
    ]


def _of_wallet(one: Body) -> dict[str, Any]:
    step = one["dispute_life_cycle_stage"]
    is_inquiry = step == "INQUIRY" and not one["money_movements"]
    outcome = one.get("dispute_outcome", {}).get("outcome_code", "")
    is_ours = outcome in ("RESOLVED_SELLER_FAVOUR", "CANCELED_BY_BUYER")
    return {
        "ticket": one["dispute_id"],
        "money": _sum(one["dispute_amount"]),
        "is_inquiry": is_inquiry,
        "may_go_on": step != "ARBITRATION",
        "may_appeal": any(link["rel"] == "appeal" for link in one["links"]),
        "is_asked": one["status"] == "WAITING_FOR_SELLER_RESPONSE",
        "heard": len(one["evidences"]),
        "end": outcome and ("lost" if not is_ours else "closed" if is_inquiry else "won"),
    }


def _sum(told: Body) -> Money:
    return Money.parse(told["value"], told["currency_code"])


RAILS = (
    Rail(
        face="stripe",
        account=STRIPE,
        paid="charges",
        claims=({"reason": "fraudulent"}, {"reason": "product_not_received"}, *[{"reason": "inquiry"}] * 2),
        endings=("win", "lose"),
        disputable=_charges,
        read=_of_card,
    ),
    Rail(
        face=wallets.FACE,
        account=PAYPAL,
        paid="captures",
        claims=(
            {"reason": "UNAUTHORISED", "stage": "CHARGEBACK"},
            {"reason": "CREDIT_NOT_PROCESSED", "stage": "CHARGEBACK"},
            {"reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "stage": "INQUIRY"},
            *[{"reason": "INCORRECT_AMOUNT", "stage": "INQUIRY"}] * 2,
        ),
        endings=("win", "lose", "withdraw"),
        disputable=_captures,
        read=_of_wallet,
    ),
)


def every(world: World) -> list[Told]:
    """Return what all providers have of disputes."""
    return [told for rail in RAILS for told in rail.told(world)]
