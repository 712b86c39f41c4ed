"""The line to Daraja by itself: a token is fetched, and nothing is asked with it."""

from dataclasses import dataclass

from apps.integrations.mpesa.client import DarajaClient


@dataclass(frozen=True, slots=True)
class Connection:
    """Signs in at Daraja as a connection port."""

    client: DarajaClient

    def check(self) -> None:
        self.client.sign_in()
