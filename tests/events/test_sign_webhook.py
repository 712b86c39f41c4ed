"""Sign webhook: by Standard Webhooks, as the reference library reads it."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from apps.events.services import signatures
from apps.kit import clock

BODY = '{"type":"payment_success","data":{"name":"Zoë"}}'.encode()
OTHER = bytes(range(32))


def signed(secret: bytes, *more: bytes, at: datetime | None = None) -> dict[str, str]:
    return signatures.headers(message_id="evt_1", at=at or clock.now(), body=BODY, keys=[secret, *more])


def test_is_what_the_specification_shows():
    """Message, secret and signature of the specification's example (standard-webhooks/spec, "Signature scheme")."""
    secret = signatures.read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = signatures.headers(
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at, body=b'{"test": 2432232314}', keys=[secret]
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_is_verified_by_the_reference_library():
    secret = signatures.new_secret()

    payload = Webhook(signatures.secret_text(secret)).verify(BODY, signed(secret))

    assert payload["data"] == {"name": "Zoë"}


def test_holds_for_both_secrets_during_a_rotation():
    old, new = signatures.new_secret(), signatures.new_secret()
    headers = signed(new, old)

    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        Webhook(signatures.secret_text(secret)).verify(BODY, headers)
        signatures.verify(headers, body=BODY, keys=[secret], now=clock.now())


def test_agrees_with_the_reference_library_about_what_is_wrong():
    secret = signatures.new_secret()
    good = signed(secret)
    wrong = [
        ({**good, "webhook-id": "evt_2"}, BODY),
        ({**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}, BODY),
        (good, BODY + b" "),
        (signed(OTHER), BODY),
        (signed(secret, at=clock.now() - timedelta(minutes=6)), BODY),
        (signed(secret, at=clock.now() + timedelta(minutes=6)), BODY),
        ({name: value for name, value in good.items() if name != "webhook-id"}, BODY),
    ]

    for headers, body in wrong:
        with pytest.raises(signatures.SignatureInvalid):
            signatures.verify(headers, body=body, keys=[secret], now=clock.now())
        with pytest.raises(WebhookVerificationError):
            Webhook(signatures.secret_text(secret)).verify(body, headers)


def test_accepts_what_the_reference_library_signs():
    secret = signatures.new_secret()
    at = clock.now()
    signature = Webhook(signatures.secret_text(secret)).sign("msg_1", at, BODY.decode())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }

    signatures.verify(headers, body=BODY, keys=[secret], now=at)


@pytest.mark.parametrize("timestamp", ["now", "-1", "1e9", "٣", "9" * 13, "9" * 400, "9" * 5000])
def test_refuses_a_timestamp_that_is_no_number_of_seconds(timestamp):
    with pytest.raises(signatures.SignatureInvalid, match="number of seconds"):
        signatures.verify(
            {**signed(OTHER), "webhook-timestamp": timestamp}, body=BODY, keys=[OTHER], now=clock.now()
        )


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64", "sk_" + "A" * 44, "whsec_" + "A" * 200]
)
def test_refuses_what_is_no_secret(text):
    with pytest.raises(signatures.SecretInvalid):
        signatures.read_secret(text)


def test_makes_secrets_of_32_bytes_that_can_be_read_again():
    secret = signatures.new_secret()

    assert len(secret) == 32
    assert signatures.read_secret(signatures.secret_text(secret)) == secret
    assert signatures.new_secret() != secret
