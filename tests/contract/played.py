"""The rails that there are, and what each of them plays."""

from collections.abc import Callable

import pytest

from apps.integrations.contracts import MPESA
from tests.contract import (
    answering,
    arriving,
    asking,
    catalogue,
    collecting,
    disputing,
    holding,
    keeping,
    mpesa_rail,
    paying,
    paypal_rail,
    returning,
    signing,
    stripe_rail,
)
from tests.contract.catalogue import Words
from tests.contract.rails import Rail

STORIES = (collecting, signing, arriving, asking, returning, holding, paying, keeping, disputing, answering)
"""Where the scenarios are written; the catalogue has them once these are imported."""
RAILS: dict[str, tuple[Words, Callable[..., Rail]]] = {
    MPESA: (mpesa_rail.WORDS, mpesa_rail.opened),
    "paypal": (paypal_rail.WORDS, paypal_rail.opened),
    "stripe": (stripe_rail.WORDS, stripe_rail.opened),
}
"""What each rail calls things, and how its account is opened."""
PLAYED = [
    pytest.param(provider, one, id=f"{provider}: {one.name}")
    for provider, (words, _) in RAILS.items()
    for one in catalogue.to_play(words.lacks)
]
TRIED = [
    pytest.param(provider, capability, id=f"{provider}: {capability}")
    for provider in RAILS
    for capability in catalogue.TRAITS
]
