"""The rails that the contracts are tried on: each a provider over real HTTP, with scripted faults."""

from tests.payments.conftest import rail, street

__all__ = ["rail", "street"]
