"""A wallet rail for tests of payments: the simulator's PayPal over real HTTP, and our address for its signed messages."""

from dataclasses import dataclass
from typing import Any

from apps.integrations.contracts import AccountTerms, Environment
from apps.integrations.models import ProviderAccount
from apps.integrations.paypal.client import SANDBOX_URL
from apps.integrations.paypal.provider import PaypalCredentials
from apps.integrations.services import accounts
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import Choice, Method
from apps.payments.models import PaymentIntent
from tests.factories import access, payments
from tests.payments.cards import CardRail

NUMBER = "SAVANNAMERCH1"
CREDENTIALS = PaypalCredentials("client-of-savanna", "secret-of-savanna", "8PT597110X687430L")
USD_25 = Money(25_00, "USD")
WALLET = Choice(Method.PAYPAL, payer_name="Amina Otieno", email="amina@example.com")


def account(**facts: Any) -> ProviderAccount:
    """Return an enabled PayPal account of head office in dollars, unless told."""
    terms: dict[str, Any] = {
        "provider": "paypal",
        "label": "Wallets",
        "branch_id": access.head_office().id,
        "environment": Environment.SANDBOX,
        "base_url": SANDBOX_URL,
        "currency": "USD",
        "short_code": NUMBER,
        "minimum_minor": 1_00,
        "maximum_minor": 10_000_00,
        "fee_bps": 390,
        **facts,
    }
    return accounts.create(
        terms=AccountTerms(**terms), credentials=CREDENTIALS, actor=SYSTEM, now=payments.NOW
    )


@dataclass
class WalletRail(CardRail):
    """A shop that takes PayPal. Its messages wait until the test delivers them; its jobs until the test does them."""

    def open(self, hooks: str, **facts: object) -> None:
        """Open the account at the simulator, which tells our address of everything."""
        url = f"{hooks}/hooks/{self.organisation.id.hex}/{self.account.callback_token}/webhook"
        secrets = {"client_id": CREDENTIALS.client_id, "client_secret": CREDENTIALS.client_secret}
        webhooks = [{"id": CREDENTIALS.webhook_id, "url": url}]
        body = {"name": "Savanna Kitchens", **secrets, "webhooks": webhooks, **facts}
        self.control("PUT", f"/accounts/{NUMBER}", body)

    def act(self, kind: str, identifier: str, deed: str, **given: object) -> dict[str, Any]:
        return self.control("POST", f"/paypal/{kind}/{identifier}/{deed}", given).json()

    def script(self, *actions: object, path: str = "/v2/checkout/orders") -> None:
        body = {"match": {"face": "paypal", "path": path}, "times": 1, "actions": list(actions)}
        self.control("POST", "/scripts", body)

    def statement(self) -> dict[str, Any]:
        return self.control("GET", f"/statement?shortcode={NUMBER}").json()

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return self.control("GET", f"/paypal/{kind}").json()[kind]

    def ask(self, **facts: Any) -> PaymentIntent:
        return super().ask(**{"choice": WALLET, **facts})

    def pay(self, intent: PaymentIntent, card: str = "balance") -> dict[str, Any]:
        """Let the payer agree on the page; ``card`` is what his wallet pays with. Nothing is told before the test asks or delivers."""
        return self.act("orders", payments.reload(intent.id).current_attempt.ticket, "approve", funding=card)
