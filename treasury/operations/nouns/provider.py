"""Accounts at payment providers."""

from apps.integrations.contracts import ProviderAccountMissing
from apps.integrations.models import ProviderAccount
from apps.integrations.selectors import accounts as stored
from apps.integrations.services import accounts
from treasury.operations.calls import Answer, Call


def list_(_: Call) -> Answer:
    rows = [
        {
            "account": account.id,
            "provider": account.provider,
            "number": account.number,
            "label": account.label,
            "branch": account.branch.code,
            "environment": account.environment,
            "is_open": account.is_enabled,
            "smallest": account.minimum,
            "largest": account.maximum,
        }
        for account in stored.everything()
    ]
    return Answer(f"{sum(bool(row['is_open']) for row in rows)} of {len(rows)} open", rows)


def open_(call: Call) -> Answer:
    account = accounts.enable(account_id=_named(call).id, reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{account} is open. {_served_by(account)}")


def close(call: Call) -> Answer:
    account = accounts.disable(account_id=_named(call).id, reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{account} is closed. {_served_by(account)}")


def _named(call: Call) -> ProviderAccount:
    text = call.given["account"]
    by_number = [account for account in stored.everything() if account.number == text]
    if len(by_number) == 1:
        return by_number[0]
    if by_number:
        raise ProviderAccountMissing("Several accounts have this number: give the id of one.")
    return stored.get(call.id("account"))


def _served_by(account: ProviderAccount) -> str:
    """Say where new payments of the account's branch go now: closing one may lead them to head office's."""
    try:
        serving = stored.for_collection(
            branch_id=account.branch_id, provider=account.provider, currency=account.currency
        )
    except ProviderAccountMissing:
        return f"New payments of {account.branch.code} are refused: method_not_available."
    return f"New payments of {account.branch.code} go to {serving}."
