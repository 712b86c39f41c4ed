"""People's second factors for tests: set up for real, with codes as an authenticator shows them."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

from axes.models import AccessAttempt
from django.conf import settings
from django_otp.oath import TOTP

from apps.accounts.models import User
from apps.accounts.services import second_factors
from apps.kit.actors import Actor, ActorKind

NOW = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)


@dataclass(frozen=True)
class Phone:
    """An authenticator app that holds one secret."""

    key: bytes
    recovery_codes: tuple[str, ...] = ()

    def code(self, at: datetime) -> str:
        totp = TOTP(self.key)
        totp.time = at.timestamp()
        return f"{totp.token():06d}"

    def wrong_code(self, at: datetime) -> str:
        """Return a code that is right at no step near this one."""
        near = {self.code(datetime.fromtimestamp(at.timestamp() + 30 * step, UTC)) for step in range(-3, 4)}
        return next(f"{number:06d}" for number in range(100) if f"{number:06d}" not in near)


def scanned(key: str) -> Phone:
    """Return a phone into which a key was typed as the page shows it."""
    return Phone(base64.b32decode(key.replace(" ", "")))


def actor(user: User) -> Actor:
    return Actor(ActorKind.USER, str(user.pk), person=str(user.pk))


def enrolled(user: User, *, at: datetime = NOW) -> Phone:
    """Give a person a second factor and return his phone; the code of ``at`` is used up."""
    sealed = second_factors.propose(user_id=user.pk)
    phone = scanned(second_factors.proposal(user=user, sealed=sealed).key)
    made = second_factors.enrol(
        user_id=user.pk, sealed=sealed, code=phone.code(at), actor=actor(user), now=at
    )
    return Phone(phone.key, made.recovery_codes)


def locked_out(user: User, *, at: datetime) -> None:
    """Let somebody have typed too many wrong passwords for a person's e-mail from one address just now."""
    wrong = settings.AXES_FAILURE_LIMIT
    AccessAttempt.objects.create(username=user.email, ip_address="203.0.113.9", failures_since_start=wrong)
    AccessAttempt.objects.update(attempt_time=at)
