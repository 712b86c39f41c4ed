"""Webhook deliveries and sandbox inboxes: what was sent, what came back, and whether the signature holds."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.events.models import WebhookDelivery
from tests.factories import access


def test_list_shows_every_delivery_and_narrows_by_state(story, enter):
    client = enter("developer")

    everything = client.get(reverse("portal-deliveries")).content.decode()
    delivered = client.get(reverse("portal-deliveries"), {"status": "DELIVERED"}).content.decode()

    assert everything.count(reverse("portal-deliveries")) > delivered.count(
        reverse("portal-delivery", args=[story.delivery])
    )
    assert "payment_initiated" in everything
    assert "payment_initiated" not in delivered
    assert "payment_success" in delivered


def test_list_pages_by_cursor(story, enter):
    client = enter("developer")
    newest = WebhookDelivery.objects.order_by("-id").first()

    older = client.get(reverse("portal-deliveries"), {"before": str(newest.id)}).content.decode()

    assert reverse("portal-delivery", args=[newest.id]) not in older
    assert 'rel="prev"' in older


@pytest.mark.parametrize("cursor", ["nonsense", "1", "' OR 1=1"])
def test_bad_cursor_starts_at_the_newest(story, enter, cursor):
    client = enter("developer")

    response = client.get(reverse("portal-deliveries"), {"before": cursor})

    assert response.status_code == 200
    assert b"payment_success" in response.content


def test_detail_shows_attempts_with_their_answers(story, enter):
    client = enter("developer")

    html = client.get(reverse("portal-delivery", args=[story.delivery])).content.decode()

    assert "Attempt 1: 503" in html
    assert "Attempt 2: 204" in html
    assert "try later" in html
    assert 'data-status="delivered"' in html
    assert "+254712345678" not in html
    assert reverse("portal-payment", args=[story.paid]) in html


def test_inbox_says_whether_each_signature_holds(story, enter):
    client = enter("developer")

    html = client.get(reverse("portal-inbox", args=[story.inbox])).content.decode()

    for verdict in ("valid", "invalid", "unchecked"):
        assert f'data-signature="{verdict}"' in html
    assert "Signature holds" in html
    assert "Signature wrong" in html


def test_live_organisation_has_no_inboxes(zuri, settings):
    settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_LOCAL": False}
    access.member("owner", "zawadi@example.test")
    client = Client(headers={"host": "zuri.testserver"})
    assert client.login(username="zawadi@example.test", password=access.PASSWORD)

    response = client.get(reverse("portal-inboxes"))

    assert response.status_code == 404
    assert b'href="/portal/inbox/"' not in response.content
