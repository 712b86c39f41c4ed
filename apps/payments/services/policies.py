"""Choosing what becomes of money that comes otherwise than asked."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from apps.access.selectors import scope
from apps.audit.services import records
from apps.kit import locks
from apps.kit.actors import Actor
from apps.payments.contracts import CollectionTerms
from apps.payments.models import CollectionPolicy


@transaction.atomic
def choose(*, terms: CollectionTerms, reason: str, actor: Actor, now: datetime) -> CollectionTerms:
    """
    Put terms in force, for money that comes from now on; what has been recorded stays. A repeat changes nothing.

    Raises scope.BeyondOwnBranches: only somebody who works for all branches chooses.
    """
    scope.require_all_branches(actor)
    locks.advisory("payments:policy")
    policy = CollectionPolicy.objects.first()
    before = policy.terms if policy else CollectionTerms()
    if before == terms:
        return terms
    CollectionPolicy.objects.update_or_create(is_only=True, defaults={**asdict(terms), "changed_at": now})
    old, new = asdict(before), asdict(terms)
    records.write(
        action="payment.policy_chosen",
        object_type="collection_policy",
        object_id="organisation",
        actor=actor,
        now=now,
        changes={name: [old[name], new[name]] for name in new if old[name] != new[name]},
        reason=reason,
    )
    return terms
