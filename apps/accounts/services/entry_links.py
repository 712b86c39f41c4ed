"""The entry link: with it a person who was let in chooses his own password, which nobody else ever knows."""

import base64
import hmac
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import platform_records, second_factors, users
from apps.kit import crypto, errors, ids
from apps.kit.actors import Actor, person

LIFETIME = timedelta(days=3)
TOKEN_SIZE = 32
CODE_LENGTH = 8
RENEWED = (
    "password",
    "entry_digest",
    "entry_expires_at",
    "entry_used_at",
    "is_vouched_for",
    "taken_over_at",
    "last_login",
)


class EntryLinkUnknown(errors.DomainError):
    """The link was used, was replaced by another one, is too old, or never was one."""

    code = "entry_link_unknown"
    title = "Link no longer good"


class EntryNotNeeded(errors.DomainError):
    """The person signs in with a password of his own."""

    code = "entry_not_needed"
    title = "Has his own password"


class AccountVouchedFor(errors.DomainError):
    """No organisation made the account, or the platform has taken it over already."""

    code = "account_vouched_for"
    title = "Not an organisation's account"


class AccountTakenOver(errors.DomainError):
    """Who was confirmed is not known to be who has the account now."""

    code = "account_taken_over"
    title = "Taken over since"


class EntryCodeWrong(errors.Invalid):
    """This is not the code that the person was shown when he chose his password."""

    code = "entry_code_wrong"
    title = "Code wrong"


@transaction.atomic
def make(
    *, user_id: UUID, actor: Actor, now: datetime, is_vouched_for: bool = False, reason: str = ""
) -> str:
    """
    Return the secret of a new link, to be shown this once; one that was made before is good for nothing from then on.

    Whatever password was chosen with that one is gone. ``is_vouched_for`` is the platform's own link: it knows whose address it
    is. Raises EntryNotNeeded once the person has signed in, and where the other one of the two made the link before.
    """
    user = User.objects.select_for_update().get(id=user_id)
    if user.last_login is not None or (user.has_usable_password() and user.entry_digest is None):
        raise EntryNotNeeded("This person has a password of his own.")
    if user.entry_digest is not None and user.is_vouched_for is not is_vouched_for:
        raise EntryNotNeeded(
            "An organisation made this account: take it over instead."
            if is_vouched_for
            else "The platform made this person's link. Its operator makes another one."
        )
    secret = _renew(user, now, is_vouched_for=is_vouched_for)
    _record("user.entry_link_made", user, actor, now, reason=reason)
    return secret


@transaction.atomic
def take_over(*, user_id: UUID, reason: str, actor: Actor, now: datetime) -> str:
    """
    Make an account that an organisation made the platform's, and return the secret of its link, to be shown this once.

    Whatever somebody else may hold of it ends: the link before, its code, the password, the second factor, all sessions. Raises
    AccountVouchedFor. Whether the person is at work anywhere is asked by ``tenancy``.
    """
    user = User.objects.select_for_update().get(id=user_id)
    if not user.was_let_in or not user.is_active:
        raise AccountVouchedFor("No organisation made this account, or it is closed.")
    second_factors.forget(user_id=user_id)
    users.end_sessions(user_id=user_id, now=now)
    user.last_login, user.taken_over_at = None, now
    secret = _renew(user, now, is_vouched_for=True)
    _record("user.taken_over", user, actor, now, reason=reason)
    return secret


@transaction.atomic
def void(*, user_id: UUID, actor: Actor, now: datetime) -> None:
    """Let the link, its code and a password that was chosen by it be good for nothing; of who has signed in nothing is taken."""
    user = User.objects.select_for_update().get(id=user_id)
    if not user.was_let_in or user.last_login is not None:
        return
    user.set_unusable_password()
    user.entry_digest, user.entry_expires_at, user.entry_used_at = _digest(ids.token(TOKEN_SIZE)), now, None
    user.save(update_fields=["password", "entry_digest", "entry_expires_at", "entry_used_at"])
    _record("user.entry_link_voided", user, actor, now)


def find(*, secret: str, now: datetime) -> User:
    """Return the person of a link that is still good. Raises EntryLinkUnknown, the same for every other one."""
    return _good(User.objects.filter(entry_digest=_digest(secret)).first(), now)


@transaction.atomic
def use(*, secret: str, password: str, now: datetime) -> User:
    """Give the person of a link the password that he chose; the link is good no more. Raises EntryLinkUnknown and PasswordWeak."""
    found = User.objects.select_for_update().filter(entry_digest=_digest(secret)).first()
    user = _good(found, now)
    users.require_strong(password, user)
    user.set_password(password)
    user.entry_used_at = now
    user.save(update_fields=["password", "entry_used_at"])
    _record("user.entered", user, person(user.pk), now)
    return user


def code_of(user: User) -> str:
    """Return the code that a person who has used his link is shown, and reads to whoever confirms him."""
    hashed = crypto.keyed_hash(user.entry_digest or "", b"treasury.accounts.entry_code")
    text = base64.b32encode(bytes.fromhex(hashed)).decode()[:CODE_LENGTH]
    return f"{text[:4]}-{text[4:]}"


def require_code(*, user_id: UUID, code: str) -> None:
    """Refuse a code that was not shown to this person, or anything before he has used his link. Raises EntryCodeWrong."""
    user = User.objects.select_for_update().get(id=user_id)  # no link is made meanwhile
    told = "".join(code.upper().split()).replace("-", "")
    shown = code_of(user).replace("-", "")
    if user.entry_used_at is None or not hmac.compare_digest(told.encode(), shown.encode()):
        detail = "This is not the code that the person was shown when he chose his password."
        raise EntryCodeWrong(detail, errors=[errors.FieldError("/code", EntryCodeWrong.code, detail)])


def require_same_person(*, user_id: UUID, since: datetime | None) -> None:
    """Refuse what was confirmed of a person before the platform took his account over. Raises AccountTakenOver."""
    user = User.objects.select_for_update().get(id=user_id)  # it is not taken over meanwhile
    if user.taken_over_at is not None and (since is None or since <= user.taken_over_at):
        raise AccountTakenOver(
            "The platform has taken this account over since. Its operator lets the person in anew."
        )


def unknown() -> EntryLinkUnknown:
    """Return the one refusal of a link."""
    return EntryLinkUnknown("This link is no longer good. Ask who let you in for another one.")


def _good(user: User | None, now: datetime) -> User:
    if (
        user is None
        or not user.is_active
        or user.entry_used_at is not None
        or user.entry_expires_at is None
        or now >= user.entry_expires_at
    ):
        raise unknown()
    return user


def _digest(secret: str) -> str:
    return crypto.keyed_hash(secret, b"treasury.accounts.entry_link")


def _renew(user: User, now: datetime, *, is_vouched_for: bool) -> str:
    """Give a person whose row is locked a link in place of whatever he had, and return its secret."""
    secret = f"tse_{ids.token(TOKEN_SIZE)}"
    user.set_unusable_password()
    user.is_vouched_for = is_vouched_for
    user.entry_digest, user.entry_expires_at, user.entry_used_at = _digest(secret), now + LIFETIME, None
    user.save(update_fields=[*RENEWED])
    return secret


def _record(action: str, user: User, actor: Actor, now: datetime, *, reason: str = "") -> None:
    platform_records.write(
        action=action, object_type="user", object_id=str(user.pk), actor=actor, now=now, reason=reason
    )
