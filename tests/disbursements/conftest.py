"""The card rail of payments, whose provider keeps accounts for parties too."""

from tests.payments.conftest import cards, street

__all__ = ["cards", "street"]
