"""Transfers to connected accounts, and what is taken back of them: Stripe does both at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from apps.integrations.ports import ProviderUncertain, TransferReport, TransferRequest
from apps.integrations.stripe import answers, codes
from apps.integrations.stripe.client import StripeLine, key
from apps.kit.money import Money

LONGEST_LIST = 100


@dataclass(frozen=True, slots=True)
class Transfers:
    """Transfers of one platform. Each bears our code as its group and beside it, by which it is found again."""

    repeat_within: ClassVar[timedelta] = timedelta(hours=24)

    line: StripeLine

    def send(self, request: TransferRequest) -> TransferReport:
        params = {
            **answers.amount(request.money),
            "destination": request.destination,
            "transfer_group": request.code,
            "metadata": {"code": request.code},
            **({"description": request.description} if request.description else {}),
        }
        options = key(request.code, "transfer")
        return _report(self.line.call("transfer", lambda v1: v1.transfers.create(params, options)))

    def find(self, request: TransferRequest) -> TransferReport | None:
        params = {"transfer_group": request.code, "limit": LONGEST_LIST}
        listed = self.line.call("transfer_query", lambda v1: v1.transfers.list(params))
        return _of_code(listed, request.code)

    def reverse(self, ticket: str, money: Money, *, code: str) -> TransferReport:
        params = {"amount": answers.amount(money)["amount"], "metadata": {"code": code}}
        options = key(code, "transfer_reversal")
        made = self.line.call(
            "transfer_reversal", lambda v1: v1.transfers.reversals.create(ticket, params, options)
        )
        return _report(made)

    def find_reversal(self, ticket: str, *, code: str) -> TransferReport | None:
        params = {"limit": LONGEST_LIST}
        listed = self.line.call("transfer_query", lambda v1: v1.transfers.reversals.list(ticket, params))
        return _of_code(listed, code)


def _of_code(listed: Mapping[str, Any], code: str) -> TransferReport | None:
    found = listed.get("data")
    if not isinstance(found, list):
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer lists nothing")
    for one in found:
        if answers.part(one, "metadata").get("code") == code:
            return _report(one)
    if listed.get("has_more"):
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "there are more than one list shows")
    return None


def _report(moved: Mapping[str, Any]) -> TransferReport:
    ticket = answers.text(moved.get("id"))
    if not ticket:
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no movement")
    return TransferReport(ticket, answers.money(moved.get("amount"), moved.get("currency")))
