"""The second factor of a person: to set it up, to prove it, to renew its recovery codes, to remove or to reset it."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django_otp.oath import TOTP

from apps.accounts.models import Authenticator, RecoveryCode, User
from apps.accounts.services import platform_records, users
from apps.kit import crypto, errors, ids
from apps.kit.actors import Actor

ISSUER = "Treasury"
KEY_SIZE = 20
DIGITS = 6
STEP_SECONDS = 30
TOLERANCE = 1
"""How many steps a person's clock may be off."""
RECOVERY_CODES = 10
RECOVERY_CODE_LENGTH = 10


class CodeRefused(errors.Invalid):
    """The code is wrong, too old, used already, or came too soon after a wrong one: nobody is told which."""

    code = "second_factor_refused"
    title = "Code refused"


class AlreadyEnrolled(errors.DomainError):
    """The person has a second factor; he removes it before he sets up another."""

    code = "second_factor_exists"
    title = "Second factor exists"


class NotEnrolled(errors.DomainError):
    """The person has no second factor."""

    code = "second_factor_missing"
    title = "No second factor"


class OwnSecondFactor(errors.Forbidden):
    """Nobody resets his own: he removes it with a code of it, or somebody else makes sure who asks."""

    code = "own_second_factor"
    title = "Your own second factor"


class ReasonMissing(errors.Invalid):
    """A reset says why, for the audit trail."""

    code = "reason_required"
    title = "Reason required"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A secret that nobody has confirmed: as an address for the QR code, and as a key to type."""

    uri: str = field(repr=False)
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new second factor with its recovery codes: shown once."""

    authenticator: Authenticator
    recovery_codes: tuple[str, ...] = field(repr=False)


def propose(*, user_id: UUID) -> str:
    """
    Make a secret for a person's authenticator, sealed for his session.

    Nothing is stored until he confirms it: a secret that lay ready could have been read by whoever knew his password
    before he came.
    """
    secret = bytes.fromhex(ids.token(KEY_SIZE))
    return base64.b64encode(crypto.seal(_master_key(), secret, _purpose(user_id))).decode()


def proposal(*, user: User, sealed: str) -> Proposal:
    """Return what the person's authenticator needs. Raises CodeRefused for what was not proposed to him."""
    key = base64.b32encode(_opened(sealed, user.pk)).decode()
    label = quote(f"{ISSUER}:{user.email}")
    query = urlencode({"secret": key, "issuer": ISSUER, "digits": DIGITS, "period": STEP_SECONDS})
    return Proposal(
        f"otpauth://totp/{label}?{query}", " ".join(key[i : i + 4] for i in range(0, len(key), 4))
    )


@transaction.atomic
def enrol(*, user_id: UUID, sealed: str, code: str, actor: Actor, now: datetime) -> Enrolment:
    """
    Confirm a proposed secret by a code of it, and give the recovery codes.

    Raises CodeRefused and AlreadyEnrolled; nothing is kept then.
    """
    secret = _opened(sealed, user_id)
    step = _step(secret, _typed(code), now, after=-1)
    if step is None:
        raise _refused()
    authenticator = Authenticator(
        user_id=user_id, sealed_key=base64.b64decode(sealed), last_step=step, created_at=now
    )
    try:
        with transaction.atomic():
            authenticator.save(force_insert=True)
    except IntegrityError:
        raise AlreadyEnrolled("You have a second factor. Remove it first.") from None
    codes = _new_codes(authenticator, now)
    _record("second_factor.enrolled", user_id, actor, now)
    return Enrolment(authenticator, codes)


def verify(*, user_id: UUID, code: str, actor: Actor, now: datetime) -> Authenticator:
    """
    Take a code of the authenticator or a recovery code, each once.

    Raises CodeRefused, the same for every cause. A wrong code is counted although the call fails, and for a while no
    code is taken then, not even a right one.
    """
    with transaction.atomic():
        authenticator = Authenticator.objects.locked().filter(user_id=user_id).first()
        is_taken = authenticator is not None and _take(authenticator, _typed(code), actor, now)
    if authenticator is None or not is_taken:
        raise _refused()
    return authenticator


def renew_recovery_codes(*, user_id: UUID, code: str, actor: Actor, now: datetime) -> tuple[str, ...]:
    """Give ten new recovery codes for a present code; the old ones are void. Raises CodeRefused."""
    proved = verify(user_id=user_id, code=code, actor=actor, now=now)
    with transaction.atomic():
        authenticator = Authenticator.objects.locked().filter(id=proved.id).first()
        if authenticator is None:
            raise _refused()
        RecoveryCode.objects.filter(authenticator=authenticator).delete()
        codes = _new_codes(authenticator, now)
        _record("recovery_codes.renewed", user_id, actor, now)
    return codes


def remove(*, user_id: UUID, code: str, actor: Actor, now: datetime) -> None:
    """Remove a person's own second factor for a present code. Raises CodeRefused."""
    authenticator = verify(user_id=user_id, code=code, actor=actor, now=now)
    with transaction.atomic():
        authenticator.delete()
        _record("second_factor.removed", user_id, actor, now)


@transaction.atomic
def reset(*, user_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """
    Remove a second factor that a person has lost, for the platform's operator, who has made sure who asks.

    People are shared by organisations, so no organisation may do it: it would open the others' doors. All his sessions
    end: who holds the lost device may sit in one. Raises OwnSecondFactor, NotEnrolled and ReasonMissing.
    """
    if actor.person == str(user_id):
        raise OwnSecondFactor(
            "You cannot reset your own second factor. Remove it with a code, or ask another operator."
        )
    if not reason.strip():
        message = "Say how you made sure who asked."
        raise ReasonMissing(message, errors=[errors.FieldError("/reason", "reason_required", message)])
    authenticator = Authenticator.objects.locked().filter(user_id=user_id).first()
    if authenticator is None:
        raise NotEnrolled("This person has no second factor.")
    authenticator.delete()
    users.end_sessions(user_id=user_id, now=now)
    _record("second_factor.reset", user_id, actor, now, reason=reason.strip())


def forget(*, user_id: UUID) -> None:
    """Remove whatever second factor an account has, as a part of what the caller records."""
    Authenticator.objects.filter(user_id=user_id).delete()


def _take(authenticator: Authenticator, typed: str, actor: Actor, now: datetime) -> bool:
    """Take a code under the lock of its device, and keep what came of it."""
    if authenticator.is_resting(now):
        return False
    step = _step(_secret(authenticator), typed, now, after=authenticator.last_step)
    is_taken = step is not None or _use_recovery_code(authenticator, typed, actor, now)
    if is_taken:
        authenticator.last_step = authenticator.last_step if step is None else step
        authenticator.succeed()
    else:
        authenticator.fail(now)
        _record("second_factor.refused", authenticator.user_id, actor, now)
    authenticator.save(update_fields=["last_step", "failures", "rests_until"])
    return is_taken


def _step(secret: bytes, typed: str, now: datetime, *, after: int) -> int | None:
    """Return the time step of a right code that is newer than ``after``, or None."""
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdecimal()):
        return None
    totp = TOTP(secret, step=STEP_SECONDS, digits=DIGITS)
    totp.time = now.timestamp()
    return totp.t() if totp.verify(int(typed), tolerance=TOLERANCE, min_t=after + 1) else None


def _use_recovery_code(authenticator: Authenticator, typed: str, actor: Actor, now: datetime) -> bool:
    if len(typed) != RECOVERY_CODE_LENGTH:
        return False
    unused = RecoveryCode.objects.filter(authenticator=authenticator, digest=_digest(typed), used_at=None)
    if not unused.update(used_at=now):
        return False
    _record("recovery_code.used", authenticator.user_id, actor, now)
    return True


def _new_codes(authenticator: Authenticator, now: datetime) -> tuple[str, ...]:
    codes = [ids.code(RECOVERY_CODE_LENGTH) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(authenticator=authenticator, digest=_digest(code), created_at=now) for code in codes
    )
    half = RECOVERY_CODE_LENGTH // 2
    return tuple(f"{code[:half]}-{code[half:]}" for code in codes)


def _typed(code: str) -> str:
    """Return a code without the spaces and hyphens that people read it by."""
    return "".join(character for character in code if character.isalnum()).upper()


def _digest(code: str) -> str:
    return crypto.keyed_hash(code, b"treasury.accounts.recovery_code")


def _secret(authenticator: Authenticator) -> bytes:
    sealed, purpose = bytes(authenticator.sealed_key), _purpose(authenticator.user_id)
    return crypto.open_sealed(_master_key(), sealed, purpose)


def _opened(sealed: str, user_id: UUID) -> bytes:
    try:
        return crypto.open_sealed(_master_key(), base64.b64decode(sealed, validate=True), _purpose(user_id))
    except ValueError:
        raise _refused() from None


def _master_key() -> bytes:
    """Return the key that seals secrets of people: they belong to no organisation, so no data key is theirs."""
    return hmac.digest(_master(), b"treasury.accounts.second_factor", hashlib.sha256)


def _master() -> bytes:
    return str(settings.TREASURY["MASTER_KEY"]).encode()


def _purpose(user_id: UUID) -> bytes:
    return f"second-factor:{user_id}".encode()


def _refused() -> CodeRefused:
    return CodeRefused("This code was not taken. Wait for the next one and type it again.")


def _record(action: str, user_id: UUID, actor: Actor, now: datetime, *, reason: str = "") -> None:
    platform_records.write(
        action=action, object_type="user", object_id=str(user_id), actor=actor, now=now, reason=reason
    )
