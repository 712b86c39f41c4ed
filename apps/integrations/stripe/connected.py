"""Connect: accounts that Stripe keeps for others, who tell it on its own pages what it asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from apps.integrations.ports import (
    ConnectLink,
    ConnectReport,
    ConnectRequest,
    ConnectStatus,
    ProviderDeclined,
    ProviderUncertain,
    Ticket,
    Window,
)
from apps.integrations.stripe import answers, codes
from apps.integrations.stripe.client import StripeLine, key

ACTIVE = "active"
REJECTED = "rejected."
NO_ACCESS = "account_invalid"
PAGE = 100
PAGES = 50
"""How many pages of a list are read: five thousand accounts of about a day."""


@dataclass(frozen=True, slots=True)
class ConnectedAccounts:
    """Express accounts of one platform. A ticket is the id of the account."""

    repeat_within: ClassVar[timedelta] = timedelta(hours=24)

    line: StripeLine

    def begin(self, request: ConnectRequest) -> Ticket:
        params = {
            "type": "express",
            "country": request.country,
            "default_currency": request.currency.lower(),
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"code": request.code},
            **({"email": request.email} if request.email else {}),
        }
        options = key(request.code, "connect")
        account = self.line.call("connect", lambda v1: v1.accounts.create(params, options))
        ticket = answers.text(account.get("id"))
        if not ticket:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no account")
        return Ticket(ticket)

    def find(self, code: str, window: Window) -> Ticket | None:
        created = {"gte": int(window.start.timestamp()), "lte": int(window.end.timestamp())}
        params: dict[str, Any] = {"created": created, "limit": PAGE}
        for _ in range(PAGES):
            told = self.line.call("connect_query", partial(_list, params=dict(params)))
            listed = _listed(told)
            for account in listed:
                if answers.part(account, "metadata").get("code") == code:
                    return Ticket(answers.text(account["id"]))
            if told.get("has_more") is False:
                return None
            if not listed:
                raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the list does not tell where it goes on")
            params["starting_after"] = answers.text(listed[-1]["id"])
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, f"more than {PAGES * PAGE} accounts are listed")

    def link(self, ticket: str, *, return_url: str, refresh_url: str) -> ConnectLink:
        params = {
            "account": ticket,
            "type": "account_onboarding",
            "return_url": return_url,
            "refresh_url": refresh_url,
        }
        link = self.line.call("connect_link", lambda v1: v1.account_links.create(params))
        url = answers.link(link.get("url"))
        if not url:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no page")
        return ConnectLink(url, answers.instant(link.get("expires_at")))

    def read(self, ticket: str) -> ConnectReport:
        try:
            account = self.line.call("connect_query", lambda v1: v1.accounts.retrieve(ticket))
        except ProviderDeclined as refusal:
            if refusal.code != "not_found" and refusal.provider_code != NO_ACCESS:
                raise
            return ConnectReport(ticket, ConnectStatus.RESTRICTED, needs=("access",))  # it may come back
        asked = answers.part(account, "requirements")
        return ConnectReport(
            ticket,
            _status(account, answers.text(asked.get("disabled_reason"))),
            needs=_needs(asked),
            due_by=answers.instant(asked.get("current_deadline")),
        )


def _list(v1: Any, *, params: Mapping[str, Any]) -> Any:
    return v1.accounts.list(params)


def _listed(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the accounts of a page, each with its id; one that cannot be read may be the one that is looked for."""
    listed = told.get("data")
    if not isinstance(listed, list) or not all(_is_named(one) for one in listed):
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer is no list of accounts")
    return listed


def _is_named(account: object) -> bool:
    return isinstance(account, Mapping) and bool(answers.text(account.get("id")))


def _status(account: Mapping[str, Any], disabled: str) -> ConnectStatus:
    if disabled.startswith(REJECTED):
        return ConnectStatus.CLOSED
    if answers.part(account, "capabilities").get("transfers") == ACTIVE:
        return ConnectStatus.ENABLED
    return ConnectStatus.RESTRICTED if account.get("details_submitted") is True else ConnectStatus.PENDING


def _needs(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is asked now, what is overdue first, each once."""
    lists = (asked.get(name) for name in ("past_due", "currently_due"))
    named = [answers.text(one) for each in lists if isinstance(each, list) for one in each]
    return tuple(dict.fromkeys(need for need in named if need))
