"""The line to PayPal by itself: a token is fetched, and nothing is asked with it."""

from dataclasses import dataclass

from apps.integrations.paypal.client import PaypalLine


@dataclass(frozen=True, slots=True)
class Connection:
    """Signs in at PayPal as a connection port."""

    line: PaypalLine

    def check(self) -> None:
        self.line.sign_in()
