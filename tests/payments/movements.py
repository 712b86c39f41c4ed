"""A movement that a provider lists, for the tests that match one and those that read the list."""

from datetime import timedelta

from apps.integrations.ports import StatementRow
from apps.payments.services import attempts
from tests.factories import payments

NOW = payments.NOW + timedelta(minutes=20)


def row(attempt, **facts):
    return StatementRow(
        **{
            "receipt": "NLJ7RT61SV",
            "money": payments.KES_1500,
            "reference": attempt.code,
            "payer": "2547 ***** 678",
            "told_at": "2026-11-24T10:41:00Z",
            "kind": "c2b-pay-bill-debit",
            **facts,
        }
    )


def lost():
    """Return an attempt of which nobody knows what became."""
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)
    return payments.reloaded(attempt)
