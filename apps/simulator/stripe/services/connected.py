"""Accounts that are connected to a platform: opened by it, and put to work when their owner has been seen."""

from dataclasses import replace

from apps.simulator.stripe.contracts import Account, Body, Scope, StripeRefusal
from apps.simulator.stripe.services import accounts, events, ids, objects

OWED = ["individual.verification.document", "external_account", "tos_acceptance.date"]
CLOSED = "rejected.other"


def add(scope: Scope, *, kind: str, country: str, email: str | None, currency: str, metadata: Body) -> Body:
    """Open an account whose calls come with the key of the platform."""
    own = scope.account
    identifier = ids.draw(tx=scope.tx, kind="account")
    accounts.save(
        tx=scope.tx,
        account=Account(
            id=identifier,
            name=email or identifier,
            secret_key=own.secret_key,
            country=country,
            currency=currency,
            fee_bps=own.fee_bps,
            fee_fixed=own.fee_fixed,
            dispute_fee=own.dispute_fee,
            rates=own.rates,
            platform=own.id,
        ),
    )
    body = _body(identifier, kind=kind, country=country, email=email, currency=currency) | {
        "created": scope.seconds,
        "metadata": metadata,
    }
    return objects.add(scope, body, return_url="")


def shown(scope: Scope) -> Body:
    """Return the caller's own account as Stripe shows it."""
    own = scope.account
    body = _body(own.id, kind="standard", country=own.country, email=None, currency=own.currency)
    return _seen(body) | {"business_profile": {"name": own.name}, "created": 0, "metadata": {}}


def get(scope: Scope, identifier: str) -> Body:
    """Return an account that is connected to the caller's, or refuse one that is not, or not any more."""
    found = objects.find(scope, "account", identifier)
    if found is None:
        raise StripeRefusal(
            403,
            f"The provided key does not have access to account '{identifier}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
        )
    return found


def is_closed(account: Body) -> bool:
    """Say whether Stripe has turned the account away for good."""
    return str(account["requirements"]["disabled_reason"] or "").startswith("rejected.")


def still_open(account: Body) -> Body:
    """Return the account; raise StripeRefusal for one that was turned away."""
    if is_closed(account):
        raise StripeRefusal(400, "This account has been rejected.", param="account")
    return account


def finish(scope: Scope, account: Body) -> Body:
    """Let the owner of a connected account have told all that is asked: it may now be paid, and pays out."""
    return _tell(scope, _seen(still_open(account)))


def restrict(scope: Scope, account: Body) -> Body:
    """Let the owner have told everything, and be asked for another document before the account is paid again."""
    return _tell(scope, _stopped(still_open(account), asked=OWED[:1], reason="requirements.past_due"))


def close(scope: Scope, account: Body) -> Body:
    """Turn the account away for good."""
    return _tell(scope, _stopped(still_open(account), asked=[], reason=CLOSED))


def leave(scope: Scope, account: Body) -> Body:
    """Let the owner take the platform's access away: its key does not reach the account any more."""
    own = accounts.get(tx=scope.tx, identifier=account["id"])
    platform = scope.account
    application = {
        "id": f"ca_{platform.id.removeprefix('acct_')}",
        "object": "application",
        "name": platform.name,
    }
    events.tell(replace(scope, account=own), "account.application.deauthorized", application)
    accounts.part(tx=scope.tx, identifier=own.id)
    objects.remove(scope, own.id)
    return account


def _tell(scope: Scope, account: Body) -> Body:
    objects.save(scope, account)
    own = accounts.get(tx=scope.tx, identifier=account["id"])
    events.tell(replace(scope, account=own), "account.updated", account)
    return account


def _stopped(body: Body, *, asked: list[str], reason: str) -> Body:
    body["requirements"] |= {
        "currently_due": asked,
        "eventually_due": asked,
        "past_due": asked,
        "disabled_reason": reason,
    }
    return body | {
        "capabilities": dict.fromkeys(body["capabilities"], "inactive"),
        "charges_enabled": False,
        "details_submitted": True,
        "payouts_enabled": False,
    }


def _seen(body: Body) -> Body:
    body["requirements"] |= {
        "currently_due": [],
        "eventually_due": [],
        "past_due": [],
        "disabled_reason": None,
    }
    body |= {
        "capabilities": dict.fromkeys(body["capabilities"], "active"),
        "charges_enabled": True,
        "details_submitted": True,
        "payouts_enabled": True,
    }
    return body


def _body(identifier: str, *, kind: str, country: str, email: str | None, currency: str) -> Body:
    return {
        "id": identifier,
        "object": "account",
        "business_profile": {"name": None},
        "business_type": None,
        "capabilities": {"card_payments": "inactive", "transfers": "inactive"},
        "charges_enabled": False,
        "country": country,
        "default_currency": currency,
        "details_submitted": False,
        "email": email,
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "total_count": 0,
            "url": f"/v1/accounts/{identifier}/external_accounts",
        },
        "future_requirements": {"currently_due": [], "disabled_reason": None},
        "payouts_enabled": False,
        "requirements": {
            "alternatives": [],
            "current_deadline": None,
            "currently_due": OWED,
            "disabled_reason": "requirements.past_due",
            "errors": [],
            "eventually_due": OWED,
            "past_due": OWED,
            "pending_verification": [],
        },
        "settings": {"payouts": {"schedule": {"delay_days": 2, "interval": "daily"}}},
        "type": kind,
    }
