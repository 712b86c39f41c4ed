"""Opening provider accounts and changing their terms and secrets; every change is on the audit trail, no secret is."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.audit.services import records
from apps.integrations import registry
from apps.integrations.contracts import (
    AccountTerms,
    Credentials,
    Environment,
    ProviderAccountMissing,
    provider_choices,
    provider_name,
)
from apps.integrations.models import ProviderAccount
from apps.integrations.ports.providing import Provider, Rule
from apps.integrations.selectors import accounts as stored
from apps.kit import ids, locks
from apps.kit.actors import Actor
from apps.kit.errors import DomainError, FieldError, Invalid
from apps.kit.money import BASIS_POINTS
from apps.tenancy.selectors import organisations
from apps.tenancy.services import data_keys

OBJECT_TYPE = "provider_account"
CALLS_PER_SECOND = range(1, 1001)
TOKEN_BYTES = 16
PASSWORD = "initiator_password"  # noqa: S105 (the name of a secret)
CHANGEABLE = (
    "label",
    "base_url",
    "certificate",
    "fee_bps",
    "minimum_minor",
    "maximum_minor",
    "is_pull_enabled",
    "pull_number",
    "pull_method",
    "inbound_version",
    "is_accepted_by_default",
    "is_balance_watched",
    "calls_per_second",
    "confirm_from_minor",
)
COMMON = {"fee_bps", "calls_per_second"}
SPECIAL = {
    each.name: each.default
    for each in fields(AccountTerms)
    if each.default is not MISSING and each.name not in COMMON
}
"""The terms that not every provider knows, each with what says nothing."""
TERMS = tuple(AccountTerms.__dataclass_fields__)
FIXED = tuple(name for name in TERMS if name not in CHANGEABLE)


class AccountTermsInvalid(Invalid):
    """The terms contradict themselves or what the provider allows."""

    code = "provider_account_invalid"
    title = "Provider account not valid"


class ProviderAccountExists(DomainError):
    """There is an account with this number already."""

    code = "provider_account_exists"
    title = "Provider account exists"


@transaction.atomic
def create(*, terms: AccountTerms, credentials: Credentials, actor: Actor, now: datetime) -> ProviderAccount:
    """
    Open an enabled account; its secrets are sealed for this organisation and can be read by nobody again.

    Production belongs to live organisations, simulator and sandbox to test ones. Raises AccountTermsInvalid naming
    every wrong field, ProviderAccountExists for a short code that is there.
    """
    _check(terms)
    _check_credentials(terms, credentials)
    _check_questions(terms, credentials)
    account = ProviderAccount(callback_token=ids.token(TOKEN_BYTES), created_at=now)
    _apply(account, terms)
    _refuse_second(account)
    _refuse_shared_list(account)
    _seal(account, credentials, now)
    account.save(force_insert=True)
    records.write(
        action="provider_account.create",
        object_type=OBJECT_TYPE,
        object_id=str(account.id),
        actor=actor,
        now=now,
        changes={name: [None, _plain(getattr(account, name))] for name in TERMS},
    )
    return account


@transaction.atomic
def change(
    *,
    account_id: UUID,
    terms: AccountTerms,
    credentials: Credentials | None = None,
    actor: Actor,
    now: datetime,
) -> ProviderAccount:
    """
    Replace label, address, certificate, fee and limits of an account, and all its secrets where new ones are given.

    Calls that are under way keep the old ones. What identifies the account is fixed, because money is booked under it;
    a new address needs the secrets again, or the old ones could be sent to whoever names one. The audit trail says
    that secrets were replaced, never what they are. Raises AccountTermsInvalid.
    """
    account = _locked(account_id)
    _refuse_another_identity(account, terms)
    _check(terms)
    before = {name: _plain(getattr(account, name)) for name in CHANGEABLE}
    _apply(account, terms)
    _refuse_shared_list(account)
    after = {name: _plain(getattr(account, name)) for name in CHANGEABLE}
    changes = {name: [before[name], after[name]] for name in CHANGEABLE if before[name] != after[name]}
    if "base_url" in changes and credentials is None:
        raise AccountTermsInvalid(
            "Give the secrets again with a new address.",
            errors=[FieldError("/base_url", "secrets_needed", "Give the secrets again with a new address.")],
        )
    if credentials is not None:
        _check_credentials(terms, credentials)
        _check_questions(terms, credentials)
        _seal(account, credentials, now)
        account.save(update_fields=["sealed_credentials", "credentials_set_at", "password_set_at"])
        _record("provider_account.replace_credentials", account, actor, now, {})
    elif "confirm_from_minor" in changes:
        _check_questions(terms, open_credentials(account))
    if changes:
        account.save(update_fields=list(CHANGEABLE))
        _record("provider_account.change", account, actor, now, changes)
    return account


@transaction.atomic
def enable(*, account_id: UUID, actor: Actor, now: datetime, reason: str = "") -> ProviderAccount:
    """
    Let new payments use the account: of several of a branch the routing rules choose, else the oldest.

    Raises AccountTermsInvalid where the list of its store's money would be shared with it.
    """
    account = _locked(account_id)
    if account.is_enabled:
        return account
    account.is_enabled = True
    _refuse_shared_list(account)
    account.save(update_fields=["is_enabled"])
    _record("provider_account.enable", account, actor, now, {"is_enabled": [False, True]}, reason)
    return account


@transaction.atomic
def disable(*, account_id: UUID, actor: Actor, now: datetime, reason: str = "") -> ProviderAccount:
    """Keep new payments away from the account; what is under way goes on, callbacks and queries included."""
    account = _locked(account_id)
    if not account.is_enabled:
        return account
    account.is_enabled = False
    account.save(update_fields=["is_enabled"])
    _record("provider_account.disable", account, actor, now, {"is_enabled": [True, False]}, reason)
    return account


def open_credentials(account: ProviderAccount) -> Credentials:
    """Return the secrets for a call that is about to be made; raises crypto.Unreadable for a row that was tampered with."""
    opened = data_keys.decrypt(value=bytes(account.sealed_credentials), purpose=account.purpose)
    return registry.providers()[account.provider].credentials(**json.loads(opened))


def reseal() -> int:
    """Seal the secrets of every account with the newest data key, in the caller's transaction; return of how many."""
    found = list(ProviderAccount.objects.locked().order_by("id"))
    for account in found:
        account.sealed_credentials = data_keys.reseal(
            value=bytes(account.sealed_credentials), purpose=account.purpose
        )
        account.save(update_fields=["sealed_credentials"])
    return len(found)


def _seal(account: ProviderAccount, credentials: Credentials, now: datetime) -> None:
    """Seal new secrets; a password that was there before keeps its age."""
    password = getattr(credentials, PASSWORD, "")
    before = getattr(open_credentials(account), PASSWORD, "") if account.sealed_credentials else ""
    if password != before:
        account.password_set_at = now if password else None
    account.sealed_credentials = data_keys.encrypt(
        plaintext=json.dumps(asdict(credentials)).encode(), purpose=account.purpose
    )
    account.credentials_set_at = now


def _locked(account_id: UUID) -> ProviderAccount:
    account = ProviderAccount.objects.locked().filter(id=account_id).first()
    if account is None:
        raise ProviderAccountMissing("There is no provider account with that id.")
    return account


def _apply(account: ProviderAccount, terms: AccountTerms) -> None:
    for name in TERMS:
        setattr(account, name, getattr(terms, name))
    account.base_url = terms.base_url.rstrip("/")


def _plain(value: object) -> object:
    return value if isinstance(value, int | str | None) else str(value)


def _record(
    action: str,
    account: ProviderAccount,
    actor: Actor,
    now: datetime,
    changes: Mapping[str, object],
    reason: str = "",
) -> None:
    records.write(
        action=action,
        object_type=OBJECT_TYPE,
        object_id=str(account.id),
        actor=actor,
        now=now,
        changes=dict(changes),
        reason=reason,
    )


def _refuse_second(account: ProviderAccount) -> None:
    others = ProviderAccount.objects.exclude(id=account.id).filter(provider=account.provider)
    same_code = {name: getattr(account, name) for name in ("environment", "short_code", "currency")}
    if others.filter(**same_code, till_number=account.till_number).exists():
        raise ProviderAccountExists(f"There is an account with the number {account.number} already.")


def _refuse_shared_list(account: ProviderAccount) -> None:
    """
    Refuse to read the list of a store's money where several enabled accounts are of the store, its tills or its paybill: it names
    none of them, so each would take the money of all. A disabled one is in nobody's way before it is enabled. Nobody else looks at
    the store's accounts until the transaction ends.
    """
    if not account.is_enabled:
        return
    locks.advisory("integrations:store:" + ":".join(getattr(account, name) for name in stored.ALIKE))
    others = stored.alike(account).filter(is_enabled=True).exclude(id=account.id)
    if not (others if account.is_pull_enabled else others.filter(is_pull_enabled=True)).exists():
        return
    number = "till_number" if account.till_number else "short_code"
    name = "is_pull_enabled" if account.is_pull_enabled else number
    message = (
        "Several enabled accounts are of this store, and the list of its money names none of them: it is read for a store with "
        "one enabled account only."
    )
    raise AccountTermsInvalid(message, errors=[FieldError(f"/{name}", "list_shared", message)])


def _refuse_another_identity(account: ProviderAccount, terms: AccountTerms) -> None:
    message = "This is fixed: open another account instead, and disable this one."
    found = [
        FieldError(f"/{name}", "fixed", message)
        for name in FIXED
        if getattr(account, name) != getattr(terms, name)
    ]
    if found:
        raise AccountTermsInvalid(message, errors=found)


def _check_credentials(terms: AccountTerms, credentials: Credentials) -> None:
    """Refuse secrets of another provider, without what it needs, or against its rules."""
    provider = registry.providers()[terms.provider]
    if not isinstance(credentials, provider.credentials) or not credentials.is_complete:
        names = ", ".join(name.replace("_", " ") for name in provider.needed_secret_names)
        raise AccountTermsInvalid(f"To collect money {provider.name} needs: {names}.")
    _refuse_broken(provider.secret_rules(terms, credentials))


def _check_questions(terms: AccountTerms, credentials: Credentials) -> None:
    """Refuse to have the provider asked about large money where it takes no question with these secrets."""
    if terms.confirm_from_minor is not None and not credentials.can_ask:
        message = f"{provider_name(terms.provider)} is asked in the name of the initiator: that needs its name and password."
        raise AccountTermsInvalid(message, errors=[FieldError("/confirm_from", "invalid", message)])


def _check(terms: AccountTerms) -> None:
    """Refuse terms that cannot work, naming every field at once."""
    provider = registry.providers().get(terms.provider)
    names = ", ".join(slug for slug, _ in provider_choices())
    rules: list[Rule] = [
        (provider is not None, "provider", f"The providers here are: {names}."),
        (bool(terms.label.strip()), "label", "A label is needed."),
        *(_own_rules(provider, terms) if provider else ()),
        (
            _fits_organisation(terms),
            "environment",
            "Production is for live organisations, simulator and sandbox are for test ones.",
        ),
        (_fits_environment(terms), "base_url", "The address does not belong to the environment."),
        (
            terms.calls_per_second in CALLS_PER_SECOND,
            "calls_per_second",
            "Between 1 and 1000 calls of a kind leave in a second.",
        ),
        (0 <= terms.fee_bps < BASIS_POINTS, "fee_bps", "The fee lies between 0 and 9999 basis points."),
        (terms.minimum_minor > 0, "minimum", "The smallest payment is more than nothing."),
        (
            terms.confirm_from_minor is None or terms.confirm_from_minor > 0,
            "confirm_from",
            "Ask about more than nothing, or about no payment.",
        ),
        (terms.maximum_minor >= terms.minimum_minor, "maximum", "The maximum is below the minimum."),
    ]
    _refuse_broken(rules)


def _own_rules(provider: Provider, terms: AccountTerms) -> list[Rule]:
    """Return what this provider asks of the terms, and that nothing is said of what it does not know."""
    unknown = [
        (
            getattr(terms, name) == default,
            name.removesuffix("_minor"),
            f"{provider.name} accounts have no {name.removesuffix('_minor').replace('_', ' ')}.",
        )
        for name, default in SPECIAL.items()
        if name not in provider.terms
    ]
    return [*provider.rules(terms), *unknown]


def _refuse_broken(rules: list[Rule]) -> None:
    found = [FieldError(f"/{name}", "invalid", message) for is_right, name, message in rules if not is_right]
    if found:
        raise AccountTermsInvalid(found[0].message, errors=found)


def _fits_organisation(terms: AccountTerms) -> bool:
    """Real money is booked in live organisations only, and play money never."""
    return (terms.environment == Environment.PRODUCTION) is not organisations.current().is_test


def _fits_environment(terms: AccountTerms) -> bool:
    """
    The simulator lies below its own address and production has one. A sandbox is anything else by https, or, where keys
    alone tell it from production, the same address.
    """
    address, known = terms.base_url.rstrip("/"), registry.providers()
    own = known.get(terms.provider)
    if terms.environment == Environment.SIMULATOR:
        simulator = settings.TREASURY["SIMULATOR_URL"]
        return bool(simulator) and f"{address}/".startswith(f"{simulator}/")
    if own and (terms.environment == Environment.PRODUCTION or own.is_one_address):
        return address == own.production_url
    production = {_host(provider.production_url) for provider in known.values()}
    return address.startswith("https://") and _host(address) not in ("", *production)


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""
