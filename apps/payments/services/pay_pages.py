"""Pay pages: a link for one payer, what he may learn by it, and the prompt that he asks for himself."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.core.cache import cache
from django.db import transaction

from apps.audit.services import records
from apps.integrations.ports import CapturePort
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import errors, ids, rate_limits
from apps.kit.actors import Actor, ActorKind
from apps.kit.money import Money
from apps.kit.rate_limits import InOutage, Limit
from apps.kit.schema import name as schema_name
from apps.payments import events
from apps.payments.contracts import Choice, Method
from apps.payments.models import PaymentAttempt, PaymentIntent, PayPage
from apps.payments.models import phone as phones
from apps.payments.services import (
    attempts,
    captures,
    choices,
    intents,
    methods,
    pay_links,
    payables,
    paybills,
    receipts,
    retries,
    suspense,
)
from apps.payments.services.attempts import InvalidState

PAYER = Actor(ActorKind.SYSTEM, "pay-page")
"""Who acts behind a pay page: nobody knows him, his link is all that he showed."""

SECRET = re.compile(r"[0-9a-f]{40}")
HOUR, MINUTE = 3600, 60
ASKED_AGAIN = 10
"""For how many seconds a payer who comes back again has nobody asked."""
PROMPTS_PER_PHONE_AND_HOUR = 5
DEEDS_PER_SOURCE_AND_MINUTE = 10
PICTURES_PER_SOURCE_AND_MINUTE = 30


class PayPageUnknown(errors.NotFound):
    """The link was replaced or revoked, is too old, or never was one."""

    code = "pay_page_unknown"
    title = "No such pay page"


@dataclass(frozen=True, slots=True)
class Opened:
    """A new page with its address, which holds the secret and is shown this once."""

    page: PayPage
    url: str = field(repr=False)


@transaction.atomic
def make(*, intent_id: UUID, actor: Actor, now: datetime) -> Opened:
    """
    Make a link to an intent that nobody has paid, good until the intent expires; one that was made before opens nothing any more.

    Raises NotFound, and InvalidState for an intent that is paid or closed.
    """
    intent = PaymentIntent.objects.locked().filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    if not intent.is_open or intent.expires_at <= now:
        raise InvalidState("Only a payment that is open has a pay page.")
    page = pay_links.make(intent, actor=actor, expires_at=intent.expires_at, now=now)
    records.write(
        action="payment.pay_page_made",
        object_type=events.AGGREGATE,
        object_id=ids.encode("pi", intent.id),
        actor=actor,
        now=now,
        changes={"expires_at": [None, page.expires_at.isoformat()]},
        reason="",
    )
    return Opened(page, pay_links.address(page))


@transaction.atomic
def revoke(*, intent_id: UUID, now: datetime) -> None:
    """Let the link to an intent open nothing any more; a second time changes nothing."""
    PayPage.objects.filter(intent_id=intent_id, revoked_at__isnull=True).update(revoked_at=now)


def find(*, secret: str, now: datetime) -> PaymentIntent:
    """
    Return the intent of a link with its present attempt, also after it was paid. Raises PayPageUnknown, the same for every other one.

    A page that has expired still tells how its payment ended; of one that nobody paid it tells nothing.
    """
    page = None
    if SECRET.fullmatch(secret):
        kept = PayPage.objects.filter(digest=pay_links.digest(secret), revoked_at__isnull=True)
        page = kept.select_related("intent__current_attempt__provider_account").first()
    if page is None or (page.expires_at <= now and not page.intent.is_settled):
        raise PayPageUnknown("This link is no longer good. Ask who sent it for another one.")
    return page.intent


def prompt(*, secret: str, phone: str, source: str, now: datetime) -> PaymentIntent:
    """
    Ask for the money on a phone. Once a prompt is under way, or the money is there, nothing is asked again: a second click is none.

    ``source`` is where the payer comes from. A phone that another payment asked for the same sum within two minutes is
    refused with DuplicateSuspected. Raises PayPageUnknown, PhoneInvalid, the refusals of ``intents.confirm``, and RateLimited beyond ten
    requests a minute from one source, or five prompts an hour to one phone: what is refused is none.
    """
    intent = find(secret=secret, now=now)
    _admit(source, now=now)
    number = phones.normalise(phone)
    if not intent.is_unconfirmed:
        return intent
    limits = [Limit("prompts", f"pay:{schema_name()}:phone:{number}", PROMPTS_PER_PHONE_AND_HOUR, HOUR)]
    refusal = (
        "This phone was asked several times within the hour. Pay by the Paybill number, or try again later."
    )
    try:
        with rate_limits.taken(limits, now=now, in_outage=InOutage.COUNT_HERE, refusal=refusal):
            return intents.confirm(
                intent_id=intent.id,
                choice=Choice(Method.MPESA, number, intent.payer_name),
                actor=PAYER,
                now=now,
                is_repeat_refused=True,
            )
    except InvalidState:  # somebody was faster: the same payer, by a second click
        return find(secret=secret, now=now)


def start(*, secret: str, method: str, source: str, now: datetime) -> PaymentIntent:
    """
    Have the payer asked on a page of the provider's, whose address the payment tells once the provider has given it.

    Once he is being asked, or the money is there, nothing is asked again: a second click is none. Raises PayPageUnknown (also for
    a method without a page), MethodNotAvailable for one that it cannot be paid by now, RateLimited, and the refusals of ``intents.confirm``.
    """
    intent = find(secret=secret, now=now)
    _admit(source, now=now)
    if not intent.is_unconfirmed:
        return intent
    choice = Choice(_on_page(method), intent.payer_phone, intent.payer_name, intent.payer_email)
    if choice.method not in methods.offered(intent, now=now):
        raise choices.MethodNotAvailable(choice.method, intent.money)
    try:
        return intents.confirm(intent_id=intent.id, choice=choice, actor=PAYER, now=now)
    except InvalidState:  # somebody was faster: the same payer, by a second click
        return find(secret=secret, now=now)


def leave(*, secret: str, source: str, now: datetime) -> PaymentIntent:
    """
    Have the provider close the page on which a payer does not want to pay: he chooses again once it says that it has.

    Until then nothing else can be paid: no two pages take his money. Nothing happens where he is not asked on a page, has been
    asked too often, or there is no other method. If he has paid there all the same, that is his payment. Raises PayPageUnknown
    and RateLimited.
    """
    intent = find(secret=secret, now=now)
    _admit(source, now=now)
    if intent.current_attempt_id is not None and may_leave(intent, now=now):
        _close_page(intent.current_attempt_id, now=now)
    return intent


def may_leave(intent: PaymentIntent, *, now: datetime) -> bool:
    """Say whether the payer is asked on a page of the provider's, and could pay by another method if he left it."""
    attempt = intent.current_attempt
    if attempt is None or not _may_be_closed(attempt) or not retries.may_be_asked_again(intent, now=now):
        return False
    return any(method != intent.method for method in methods.offered(intent, now=now))


def _may_be_closed(attempt: PaymentAttempt) -> bool:
    is_asked = bool(attempt.page) and attempt.order_due_at is None
    return is_asked and providers.offers(attempt.provider, CapturePort)


@transaction.atomic
def _close_page(attempt_id: UUID, *, now: datetime) -> None:
    attempt = attempts.locked(attempt_id)
    if _may_be_closed(attempt) and attempt.intent.is_collecting:
        captures.let_go(attempt, now=now)


def was_left(intent: PaymentIntent) -> bool:
    """Say whether the payer chooses again because he left the page of the provider's, which is closed now."""
    attempt = intent.current_attempt
    return intent.is_unconfirmed and attempt is not None and attempt.was_let_go


def _on_page(method: str) -> Method:
    found = next((one for one in Method if one == method.upper() and one.is_on_page), None)
    if found is None:
        raise PayPageUnknown("Nothing is paid at this address.")
    return found


@transaction.atomic
def look_again(intent: PaymentIntent, *, now: datetime) -> None:
    """
    Have the provider asked now about a payment whose payer has come back from its page.

    That he came back says nothing of the money. It is asked once in ten seconds at most, however often he comes.
    """
    if intent.current_attempt_id is None or not intent.is_collecting:
        return
    if not cache.add(f"pay-look:{intent.current_attempt_id}", b"", ASKED_AGAIN):
        return
    attempt = attempts.locked(intent.current_attempt_id)
    if attempt.is_patient and attempt.is_live and attempt.ticket:
        attempts.ask_soon(attempt, now=now)


def due(intent: PaymentIntent) -> Money | None:
    """Return what is left to pay of a payment of which a part has come; None for any other, and once another payment has paid the rest."""
    is_left = intent.is_partly_paid and not payables.seems_paid_otherwise(intent)
    return intent.due if is_left and intent.due.is_positive else None


class Claim(StrEnum):
    """
    What became of a receipt that a payer holds: the provider is asked about it, its money waits for people, nobody has
    told of it, or the payment has been paid.
    """

    ASKED = "ASKED"
    HELD = "HELD"
    UNSEEN = "UNSEEN"
    PAID = "PAID"


def claim(*, secret: str, receipt: str, source: str, now: datetime) -> Claim:
    """
    Take a receipt that the payer holds: look for its money among what came unasked, else have the provider asked about it.

    It is asked only for what was sent to a phone; what was paid by the payer himself is told of by itself, and where he
    typed another account number the money waits in suspense: whoever looks after it learns which payment the payer means.
    Raises PayPageUnknown, RateLimited, ReceiptInvalid and ReceiptUsed.
    """
    intent = find(secret=secret, now=now)
    _admit(source, now=now)
    if intent.is_done:
        return Claim.PAID
    if _is_held(intent, receipt):
        return Claim.HELD
    if intent.current_attempt is None or intent.is_unconfirmed or intent.is_partly_paid:
        receipts.admitted(receipt, provider=Method.MPESA.provider)
        return Claim.UNSEEN
    try:
        intents.verify(intent_id=intent.id, receipt=receipt, actor=PAYER, now=now)
    except InvalidState:
        return Claim.UNSEEN
    return Claim.ASKED


@transaction.atomic
def _is_held(intent: PaymentIntent, receipt: str) -> bool:
    """
    Say whether money that may pay it waits under a receipt at the account that the payer is told, or one that is the same at the
    provider, and note which payment he means.
    """
    paybill = paybills.of(intent)
    text = receipt.strip().upper()
    if paybill is None or not receipts.FORM.fullmatch(text):
        return False
    suspense.only(text)
    inbound = suspense.held(paybill.provider, text)
    if inbound is None or not payables.is_paid_by(intent, inbound.money):
        return False
    if not accounts.are_alike(inbound.provider_account, accounts.get(paybill.account_id)):
        return False
    inbound.claim(code=intent.code)
    inbound.save_progress()
    return True


def picture(*, secret: str, source: str, now: datetime) -> bytes:
    """
    Return the picture that a phone reads the numbers of a payment from; nothing where it cannot be paid so, or not now.

    Raises PayPageUnknown and RateLimited.
    """
    intent = find(secret=secret, now=now)
    paybill = paybills.of(intent) if intent.is_open or due(intent) else None
    if paybill is None or not paybill.has_picture:
        return b""
    _admit(source, now=now, kind="pictures", most=PICTURES_PER_SOURCE_AND_MINUTE)
    return paybills.picture(intent, paybill, now=now)


def _admit(
    source: str, *, now: datetime, kind: str = "deeds", most: int = DEEDS_PER_SOURCE_AND_MINUTE
) -> None:
    limits = [Limit(kind, f"pay:{schema_name()}:{kind}:{source}", most, MINUTE)]
    refusal = "Too many tries from here. Wait a minute."
    rate_limits.require(limits, now=now, in_outage=InOutage.COUNT_HERE, refusal=refusal)
