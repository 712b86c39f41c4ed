"""Secrets, and code that fails while it holds them: in a view, in a task, in a handler of events."""

from celery import shared_task
from django.http import HttpRequest, HttpResponse
from django.urls import path

from apps.events.contracts import Event, Handler

SECRETS = {
    "phone": "+254712345678",
    "phone_local": "0722 000 111",
    "phone_plain": "254733444555",
    "phone_foreign": "+14155552671",
    "card": "4111 1111 1111 1111",
    "card_plain": "5555555555554444",
    "api_key": "tsk_live_1a2b3c4d_" + "Z9y8" * 10,
    "provider_key": "sk_live_0123456789abcdefghij",
    "webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "bearer": "Bearer 0aZ1bY2cX3dW4eV5fU",
    "passkey": "bfb279f9aa9bdbcf158e97dd71a467cd",
    "password": "correct-horse-battery",
    "broker": "redis://:hunter2hunter2@127.0.0.1:6379/0",
    "callback": f"/hooks/{'0' * 32}/abcdef0123456789abcdef0123456789/stk",
    "pay_page": "https://acme.pay.example/pay/" + "feedc0de" * 5,
    "name": "Njeri Kamau",
}
WORDS = [
    "712345678",
    "722 000 111",
    "733444555",
    "4155552671",
    "4111 1111",
    "555555555555",
    "Z9y8",
    "0123456789abcdefghij",
    "MfKQ9r8G",
    "0aZ1bY2c",
    "bfb279f9",
    "correct-horse",
    "hunter2",
    "abcdef0123456789",
    "feedc0de",
]
"""What of the secrets must be in no log line; a name has no shape that a log could know."""
ROUTE = "v1/<str:tenant_id>/explode"
HANDLERS = {"stock_counted": (Handler("tests.observability.planted.handle"),)}


class Exploded(Exception):
    """Something failed and says everything that it knows."""


def explode(extra: str = "") -> None:
    """Fail with every secret in a local variable, in the words of the exception and in those of its cause."""
    held = dict(SECRETS)
    sentence = f"{extra} " + " ".join(f"{name}='{value}'" for name, value in held.items())
    try:
        {}[sentence]
    except KeyError as cause:
        cause.add_note(sentence)
        raise Exploded(sentence) from cause


def view(request: HttpRequest, tenant_id: str) -> HttpResponse:
    body, credentials = request.body.decode(), request.headers["Authorization"]
    explode(f"{tenant_id} {body} {credentials}")
    return HttpResponse("never")


@shared_task(name="observability.explode")
def task(*, phone: str) -> None:
    explode(phone)


def handle(event: Event) -> None:
    explode(str(event.data))


urlpatterns = [path(ROUTE, view)]
