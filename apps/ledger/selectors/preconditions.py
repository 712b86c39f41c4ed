"""Preconditions of a period's close: each is a question to the books, answered with a sentence and a count."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.approvals.selectors import requests
from apps.ledger.contracts import (
    CASH_RECONCILED,
    REVALUATION_DONE,
    SIGN_OFFS,
    SUSPENSE_ACKNOWLEDGED,
    AccountRole,
    AccountType,
    Layer,
    PeriodState,
    Precondition,
    SignOffKind,
    TransactionKind,
)
from apps.ledger.models import Account, Book, Entry, Hold, Period, SealLeaf, Transaction
from apps.ledger.models.hold import OPEN_STATES
from apps.ledger.selectors import periods

CASH_ROLES = [AccountRole.PROVIDER_BALANCE.value, AccountRole.BANK_BALANCE.value, AccountRole.CASH.value]
MONETARY_TYPES = [AccountType.ASSET.value, AccountType.LIABILITY.value]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a period: at which instant, and whether holds may be carried into the next one."""

    period: Period
    now: datetime
    is_carrying_holds: bool = False

    def signed_at(self, kind: SignOffKind) -> datetime | None:
        """Return when this kind was signed off last for this revision of the period, if that has not been taken back."""
        last = periods.sign_offs_of(self.period).filter(kind=kind.name).first()
        return last.signed_at if last and last.is_signed else None


def of(question: Question) -> list[Precondition]:
    """Return every precondition in the order in which they are worked off, met or not."""
    asked = [check(question) for check in CHECKS]
    return asked + [_signed(question, kind) for kind in SIGN_OFFS.values() if kind.is_always]


def _ended(question: Question) -> Precondition:
    zone = ZoneInfo(Book.objects.get().timezone)
    today = question.now.astimezone(zone).date()
    days = max((question.period.end_date - today).days + 1, 0)
    sentence = (
        ngettext("It ends in %(count)d day.", "It ends in %(count)d days.", days)
        if days
        else _("Its last day is over.")
    )
    return Precondition("ended", gettext_lazy("Last day is over"), not days, sentence % {"count": days}, days)


def _previous_closed(question: Question) -> Precondition:
    count = (
        Period.objects.filter(end_date__lt=question.period.start_date)
        .exclude(state=PeriodState.CLOSED.value)
        .count()
    )
    sentence = (
        ngettext("%(count)d earlier period is open.", "%(count)d earlier periods are open.", count)
        if count
        else _("Every earlier period is closed.")
    )
    return Precondition(
        "previous_closed",
        gettext_lazy("Earlier periods closed"),
        not count,
        sentence % {"count": count},
        count,
    )


def _holds(question: Question) -> Precondition:
    count = Hold.objects.filter(
        state__in=OPEN_STATES, transaction__effective_date__range=_days(question.period)
    ).count()
    if not count:
        sentence = _("No money is held from it.")
    elif question.is_carrying_holds:
        sentence = ngettext(
            "%(count)d hold goes on in the next period.", "%(count)d holds go on in the next period.", count
        )
    else:
        sentence = ngettext(
            "%(count)d hold is open: capture or release it, or carry it over.",
            "%(count)d holds are open: capture or release them, or carry them over.",
            count,
        )
    is_met = not count or question.is_carrying_holds
    return Precondition(
        "holds", gettext_lazy("Holds settled or carried"), is_met, sentence % {"count": count}, count
    )


def _requests(question: Question) -> Precondition:
    """Whatever waits for approval and names an ``effective_date`` in its payload would be booked on that day."""
    first, last = _days(question.period)
    count = (
        requests.within(None, None)
        .pending()
        .filter(
            versions__number=F("payload_version"),
            versions__payload__effective_date__gte=first.isoformat(),
            versions__payload__effective_date__lte=last.isoformat(),
        )
        .count()
    )
    sentence = (
        ngettext(
            "%(count)d booking dated in it waits for approval.",
            "%(count)d bookings dated in it wait for approval.",
            count,
        )
        if count
        else _("No booking dated in it waits for approval.")
    )
    return Precondition(
        "requests", gettext_lazy("Nothing waits for approval"), not count, sentence % {"count": count}, count
    )


def _suspense(question: Question) -> Precondition:
    count = periods.standing(question.period).filter(role=AccountRole.SUSPENSE.value).count()
    sentence = (
        ngettext(
            "%(count)d suspense account is not empty at its end.",
            "%(count)d suspense accounts are not empty at its end.",
            count,
        )
        if count
        else _("Suspense is empty.")
    )
    return _or_signed(
        question,
        SUSPENSE_ACKNOWLEDGED,
        Precondition(
            "suspense",
            gettext_lazy("Suspense empty or acknowledged"),
            not count,
            sentence % {"count": count},
            count,
        ),
    )


def _sealed(question: Question) -> Precondition:
    leaf = SealLeaf.objects.filter(transaction_id=OuterRef("id"))
    count = (
        Transaction.objects.filter(effective_date__lte=question.period.end_date).exclude(Exists(leaf)).count()
    )
    sentence = (
        ngettext(
            "%(count)d transaction is not sealed yet.", "%(count)d transactions are not sealed yet.", count
        )
        if count
        else _("Every transaction is sealed.")
    )
    return Precondition(
        "sealed", gettext_lazy("All transactions sealed"), not count, sentence % {"count": count}, count
    )


def _revaluation(question: Question) -> Precondition:
    functional = Book.objects.get().functional_currency
    count = (
        periods.standing(question.period).filter(type__in=MONETARY_TYPES).exclude(currency=functional).count()
    )
    revalued = Transaction.objects.filter(
        kind=TransactionKind.REVALUATION.value, effective_date=question.period.end_date
    )
    if not count:
        is_met, sentence = True, _("No account holds foreign currency.")
    elif revalued.exists():
        is_met, sentence = True, _("Foreign currency is revalued on its last day.")
    else:
        is_met = False
        sentence = ngettext(
            "%(count)d account in foreign currency is not revalued on its last day.",
            "%(count)d accounts in foreign currency are not revalued on its last day.",
            count,
        ) % {"count": count}
    return _or_signed(
        question,
        REVALUATION_DONE,
        Precondition(
            "revaluation", gettext_lazy("Foreign currency revalued"), is_met, sentence, 0 if is_met else count
        ),
    )


def _reconciliation(question: Question) -> Precondition:
    moved = Entry.objects.filter(
        account_id=OuterRef("id"),
        layer=Layer.POSTED.value,
        effective_date__range=_days(question.period),
    )
    last = Entry.objects.filter(
        account__role__in=CASH_ROLES,
        layer=Layer.POSTED.value,
        effective_date__range=_days(question.period),
    ).aggregate(at=Max("transaction__posted_at"))
    standing = periods.standing(question.period).filter(role__in=CASH_ROLES).values("id")
    count = Account.objects.filter(Q(Exists(moved)) | Q(id__in=standing), role__in=CASH_ROLES).count()
    sentence = (
        ngettext(
            "%(count)d cash account waits for its reconciliation.",
            "%(count)d cash accounts wait for their reconciliation.",
            count,
        )
        if count
        else _("No cash was moved or held.")
    )
    return _or_signed(
        question,
        CASH_RECONCILED,
        Precondition(
            "reconciliation",
            gettext_lazy("Cash accounts reconciled"),
            not count,
            sentence % {"count": count},
            count,
        ),
        moved_at=last["at"],
    )


CHECKS: tuple[Callable[[Question], Precondition], ...] = (
    _ended,
    _previous_closed,
    _holds,
    _requests,
    _suspense,
    _sealed,
    _revaluation,
    _reconciliation,
)


def _signed(question: Question, kind: SignOffKind) -> Precondition:
    is_met = question.signed_at(kind) is not None
    sentence = _("Signed off.") if is_met else _("Nobody has signed this off.")
    return Precondition(kind.name, kind.title, is_met, sentence, 0 if is_met else 1)


def _or_signed(
    question: Question, kind: SignOffKind, found: Precondition, *, moved_at: datetime | None = None
) -> Precondition:
    """
    Return what was found, met by a sign-off where the books alone do not meet it; the count stays.

    One from before ``moved_at`` vouches for what is not so any more.
    """
    signed_at = question.signed_at(kind)
    if found.is_met or signed_at is None:
        return found
    if moved_at is not None and signed_at < moved_at:
        sentence = _("%(finding)s Something was booked after it was signed off.")
        return replace(found, sentence=sentence % {"finding": found.sentence})
    sentence = _("%(finding)s Signed off.") % {"finding": found.sentence}
    return replace(found, is_met=True, sentence=sentence)


def _days(period: Period) -> tuple[date, date]:
    return period.start_date, period.end_date
