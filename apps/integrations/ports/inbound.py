"""Money that comes unasked: addresses to be told at, notices, answers to checks, and who paid."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from apps.kit.money import Money


class Registration(StrEnum):
    """ELSEWHERE: addresses had been registered before, by us or by others; the provider does not say which."""

    DONE = "DONE"
    ELSEWHERE = "ELSEWHERE"


class InboundCheck(StrEnum):
    """The answer to a provider that asks whether money may come in."""

    ACCEPT = "ACCEPT"
    BAD_ACCOUNT = "BAD_ACCOUNT"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_PAYER = "BAD_PAYER"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class InboundReport:
    """
    Money that a payer has sent of himself, or that he is about to send.

    ``reference`` is what the payer typed and empty where nothing can be typed; ``payer`` is a text as it came, for
    ``InboundPort.read_payer``; ``paid_to`` is the number that was paid to, as it came: who applies the report compares
    it with the account. ``balance`` is that of the account afterwards, None where the provider does not tell.
    """

    receipt: str
    money: Money
    reference: str = ""
    payer: str = ""
    payer_name: str = ""
    paid_to: str = ""
    occurred_at: datetime | None = None
    kind: str = ""
    balance: Money | None = None


class PayerKind(StrEnum):
    PLAIN = "PLAIN"
    MASKED = "MASKED"
    HASHED = "HASHED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Payer:
    """
    Who paid, as far as the provider tells: a number in E.164, its ends, its SHA-256, or nothing.

    ``prefix`` and ``suffix`` are digits of the number without its plus; ``digest`` is lower-case hex.
    """

    kind: PayerKind
    phone: str = ""
    prefix: str = ""
    suffix: str = ""
    digest: str = ""

    def may_be(self, phone: str) -> bool:
        """Say whether this may be the holder of a number in E.164. Many numbers fit a mask: it is a hint, no proof."""
        digits = phone.removeprefix("+")
        if self.kind is PayerKind.PLAIN:
            return phone == self.phone
        if self.kind is PayerKind.MASKED:
            is_long_enough = len(digits) >= len(self.prefix) + len(self.suffix)
            return is_long_enough and digits.startswith(self.prefix) and digits.endswith(self.suffix)
        if self.kind is PayerKind.HASHED:
            return hashlib.sha256(digits.encode()).hexdigest() == self.digest
        return False

    def agrees(self, other: "Payer") -> bool:
        """Say whether both may be one person: of numbers and hashes that is proof, of masks only a hint."""
        if other.kind is PayerKind.PLAIN:
            return self.may_be(other.phone)
        if self.kind is PayerKind.PLAIN:
            return other.may_be(self.phone)
        if self.kind is PayerKind.MASKED and other.kind is PayerKind.MASKED:
            return _one_continues(self.prefix, other.prefix) and _one_continues(
                self.suffix[::-1], other.suffix[::-1]
            )
        return self.kind is PayerKind.HASHED and self == other


def _one_continues(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)


class InboundPort(Protocol):
    """
    Be told of money that comes unasked.

    ``register`` names the addresses; ``is_accepted_by_default`` is what the provider does where a check is not answered
    in time. It raises ProviderDeclined, ProviderUnavailable or ProviderUncertain; to repeat it moves no money. The rest
    is pure: ``read_notice`` reads a check and a confirmation alike and raises MalformedCallback, ``check_answer`` is
    the body that answers a check (``our_id`` comes back in the confirmation), ``read_payer`` reads any text.
    """

    def register(
        self, *, confirmation_url: str, validation_url: str, is_accepted_by_default: bool
    ) -> Registration: ...

    def read_notice(self, payload: Mapping[str, object]) -> InboundReport: ...

    def check_answer(self, check: InboundCheck, our_id: str) -> Mapping[str, str]: ...

    @staticmethod
    def read_payer(text: str) -> Payer: ...


class QrPort(Protocol):
    """
    Make a picture that a payer's phone reads: whom to pay, under which reference, how much where ``money`` is given.

    Asking moves nothing, so every error but ProviderDeclined may be tried again. ``size`` is the side in pixels.
    """

    def make(self, *, money: Money | None, reference: str, size: int) -> bytes: ...
