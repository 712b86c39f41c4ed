"""The line to Stripe by itself: the key is taken, and it is this account's."""

from dataclasses import dataclass

from apps.integrations.ports import ProviderDeclined
from apps.integrations.stripe import answers, codes
from apps.integrations.stripe.client import StripeLine


@dataclass(frozen=True, slots=True)
class Connection:
    """Reads the account's own balance or name: nothing is asked for."""

    line: StripeLine
    account: str

    def check(self) -> None:
        found = self.line.call("account", lambda v1: v1.accounts.retrieve_current())
        if answers.text(found.get("id")) != self.account:
            raise ProviderDeclined(
                "configuration", "The key is of another Stripe account.", provider_code="account"
            )
        if not found.get("charges_enabled", True):
            raise ProviderDeclined(
                "configuration", codes.MESSAGES["configuration"], provider_code="charges_disabled"
            )
