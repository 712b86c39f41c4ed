"""Which payments money in suspense may be of: the likeliest first, each with what speaks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher

from django.db.models import F, Q
from django.utils.translation import gettext as _

from apps.access.selectors import scope
from apps.integrations.ports import Payer, PayerKind
from apps.integrations.services import providers
from apps.payments.contracts import IntentStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent
from apps.payments.models.inbound import reference_key
from apps.payments.selectors import intents, policies

SHOWN = 5
COMPARED = 200
LOOKED_BACK = timedelta(days=31)
DAY = timedelta(days=1)
ALIKE = 0.8
"""From here on a reference is a slip of the finger: one wrong character of five, or fewer."""
LOOKS_LIKE = str.maketrans("OILSZ", "01152")
SHORTEST = 4
"""A shorter reference says nothing by being alike."""
CLAIMED, NAMED, SLIPPED, SEEMED, SUM, NUMBER, HIDDEN_NUMBER, NAME, SAME_DAY = (
    60,
    50,
    30,
    30,
    40,
    35,
    20,
    15,
    5,
)
LIKELY = SUM
"""What weighs less speaks for nothing: a payment of the same day, or of somebody of that name."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """
    A payment that the money may be of; ``reasons`` are for people, the strongest first.

    ``can_be_assigned``: the sum is what is due of the payment, or may pay a part, which is all that a person needs beside his word.
    """

    intent: PaymentIntent
    reasons: tuple[str, ...]
    weight: int
    can_be_assigned: bool


def of(caller: scope.Principal, inbound: InboundReceipt) -> list[Suggestion]:
    """Return up to five payments of the caller, of which something is due, that the money may be of: three queries, however many there are."""
    payer = providers.payer(inbound.provider, inbound.payer)
    found = _candidates(caller, inbound, payer)
    takes_parts = policies.current().takes_parts
    claims = PaymentAttempt.objects.filter(intent__in=found, claimed_receipt=inbound.receipt)
    claimed = set(claims.values_list("intent_id", flat=True))
    weighed = [
        _weighed(
            inbound,
            intent,
            payer,
            is_claimed=intent.id in claimed or inbound.is_claimed_for(intent.code),
            takes_parts=takes_parts,
        )
        for intent in found
    ]
    likely = [suggestion for suggestion in weighed if suggestion.weight >= LIKELY]
    return sorted(likely, key=lambda each: -each.weight)[:SHOWN]


def _candidates(caller: scope.Principal, inbound: InboundReceipt, payer: Payer) -> list[PaymentIntent]:
    """
    Return payments, not paid or in part, that share what is due within a month, the reference or the payer's number, the newest
    first.
    """
    is_due = Q(settled_at__isnull=True) | Q(status=IntentStatus.PARTIALLY_PAID.value)
    unpaid = intents.visible_to(caller).filter(is_due, currency=inbound.currency)
    is_same = Q(amount_minor=F("paid_minor") + inbound.amount_minor)
    alike = is_same & Q(created_at__gte=inbound.received_at - LOOKED_BACK)
    if inbound.reference_key:
        alike |= Q(code=inbound.reference_key) | Q(reference__in=[inbound.reference, inbound.reference_key])
    if payer.kind is PayerKind.PLAIN:
        alike |= Q(payer_phone=payer.phone)
    if inbound.intent_id:
        alike |= Q(id=inbound.intent_id)
    return list(unpaid.filter(alike).order_by("-id")[:COMPARED])


def _weighed(
    inbound: InboundReceipt, intent: PaymentIntent, payer: Payer, *, is_claimed: bool, takes_parts: bool
) -> Suggestion:
    is_same = inbound.money == intent.due
    can_be_assigned = is_same or intent.can_take(inbound.money, takes_parts=takes_parts)
    reasons = [
        *([(CLAIMED, _("The payer named this receipt"))] if is_claimed else []),
        *([(SEEMED, _("It was taken for this payment"))] if intent.id == inbound.intent_id else []),
        *_by_reference(inbound, intent),
        *([(SUM, _("The sum is the same"))] if is_same else []),
        *_by_payer(inbound, intent, payer),
    ]
    weight = sum(each for each, _words in reasons)
    if abs(inbound.received_at - intent.created_at) <= DAY:
        weight += SAME_DAY
    words = [text for _weight, text in sorted(reasons, key=lambda reason: -reason[0])]
    if not can_be_assigned:
        words.append(_("It asks for another sum: %(amount)s") % {"amount": intent.due})
    elif not is_same:
        words.append(_("It pays a part"))
    return Suggestion(intent, tuple(words), weight, can_be_assigned)


def _by_reference(inbound: InboundReceipt, intent: PaymentIntent) -> Sequence[tuple[int, str]]:
    typed = inbound.reference_key
    known = [intent.code, reference_key(intent.reference)]
    if not typed:
        return []
    if typed in known:
        return [(NAMED, _("Its reference was typed"))]
    if len(typed) >= SHORTEST and any(_is_slip(typed, other) for other in known):
        return [(SLIPPED, _("Almost its reference was typed"))]
    return []


def _is_slip(typed: str, meant: str) -> bool:
    """Say whether one was meant and the other typed: letters that look like digits are those digits."""
    typed, meant = typed.translate(LOOKS_LIKE), meant.translate(LOOKS_LIKE)
    return len(meant) >= SHORTEST and SequenceMatcher(None, typed, meant).ratio() >= ALIKE


def _by_payer(inbound: InboundReceipt, intent: PaymentIntent, payer: Payer) -> Sequence[tuple[int, str]]:
    found = []
    if intent.payer_phone and payer.may_be(intent.payer_phone):
        is_certain = payer.kind in (PayerKind.PLAIN, PayerKind.HASHED)
        found.append(
            (NUMBER, _("The same phone paid"))
            if is_certain
            else (HIDDEN_NUMBER, _("What is shown of the phone agrees"))
        )
    if _words(inbound.payer_name) & _words(intent.payer_name):
        found.append((NAME, _("The payer has the same name")))
    return found


def _words(name: str) -> set[str]:
    return {word for word in name.upper().split() if len(word) > 2}  # noqa: PLR2004 (initials say nothing)
