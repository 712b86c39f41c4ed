"""The port that shows whether an account's line to its provider works."""

from typing import Protocol


class ConnectionPort(Protocol):
    """Signs in at the provider and nothing more: no money is asked for and none moves."""

    def check(self) -> None:
        """Sign in with the account's present secrets, whatever was fetched before; raise the ProviderError that came."""
