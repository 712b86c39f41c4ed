"""The rows of the ledger itself that transactions name as their source."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from apps.access.selectors import applications
from apps.ledger.contracts import PeriodState
from apps.ledger.models import Period, Transaction
from apps.ledger.selectors.subjects import Cause, Subject, declare_subjects


def periods(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return the period that a closing closed; who closed and reopened it stands in its sign-offs and the audit trail."""
    found = {
        period.uid: period for period in Period.objects.filter(uid__in={own.source_id for own in causes})
    }
    return _by_cause(
        causes,
        {
            uid: Subject(
                "period",
                uid,
                f"Period {period.start_date:%Y-%m-%d} to {period.end_date:%Y-%m-%d}, {period.state.lower()}"
                + (f" by {period.closed_by}" if period.state == PeriodState.CLOSED else ""),
                period.closed_at,
                is_proof=True,
            )
            for uid, period in found.items()
        },
    )


def reversed_ones(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return the transaction that a reversal takes back; its own evidence is found by its number."""
    found = Transaction.objects.filter(uid__in={own.source_id for own in causes})
    return _by_cause(
        causes,
        {
            booked.uid: Subject(
                "transaction",
                booked.uid,
                f"{booked.number}, {booked.description}",
                booked.posted_at,
                is_proof=True,
            )
            for booked in found
        },
    )


def orders(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return what an exchange or a revaluation was reckoned by: the rate and its source, which the transaction keeps."""
    found = Transaction.objects.filter(uid__in={own.uid for own in causes})
    by_uid = {booked.uid: booked.dimensions or {} for booked in found}
    return {
        own.uid: [
            Subject(
                "rate",
                own.source_id,
                "Rate {rate} of {rate_source} at {rate_as_of}".format_map(by_uid[own.uid]),
                is_proof=True,
            )
        ]
        for own in causes
        if {"rate", "rate_source", "rate_as_of"} <= by_uid.get(own.uid, {}).keys()
    }


def vouchers(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return the voucher of a journal that a person wrote; the approval that agreed to it is about the same id."""
    found = Transaction.objects.filter(uid__in={own.uid for own in causes})
    return {
        booked.uid: [Subject("voucher", booked.source_id, f"Voucher {booked.reference}: {booked.reason}")]
        for booked in found
    }


def partners(causes: Sequence[Cause]) -> Mapping[UUID, Sequence[Subject]]:
    """Return the application that posted over the API, and the key that it gave: its word alone, which proves nothing."""
    names = applications.names()
    return {
        own.uid: [
            Subject(
                "application",
                own.source_id,
                f"{names[own.source_id]} over the API, key {own.key.rpartition(f'{own.source_id}:')[2]}",
            )
        ]
        for own in causes
        if own.source_id in names
    }


def _by_cause(causes: Iterable[Cause], found: Mapping[UUID, Subject]) -> dict[UUID, list[Subject]]:
    return {own.uid: [found[own.source_id]] for own in causes if own.source_id in found}


declare_subjects("ledger_period", periods)
declare_subjects("ledger_transaction", reversed_ones)
declare_subjects("fx_exchange", orders)
declare_subjects("fx_revaluation", orders)
declare_subjects("journal", vouchers)
declare_subjects("application", partners)
