"""Reading what the organisation has chosen about money that comes otherwise than asked."""

from apps.payments.contracts import CollectionTerms
from apps.payments.models import CollectionPolicy


def current() -> CollectionTerms:
    """Return the terms in force."""
    policy = CollectionPolicy.objects.first()
    return policy.terms if policy else CollectionTerms()
