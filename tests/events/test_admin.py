"""The portal's event pages: facts for who may see them, and actions for who may act."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.audit.models import AuditRecord
from apps.events.models import DeliveryStatus, EndpointStatus, EventDelivery, WebhookDelivery, WebhookEndpoint
from apps.events.services import relay, webhook_attempts
from tests import dialogs
from tests.events import handlers
from tests.factories import access as make
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW

PAGES = ["outboxevent", "eventdelivery", "webhookendpoint", "webhookdelivery"]


@pytest.fixture
def portal(acme, in_organisation):
    """Return a function that signs a member of acme in and gives his browser."""

    def sign_in(role="owner", **chosen) -> Client:
        in_organisation("acme")
        make.head_office()
        make.portal()
        browser = Client(headers={"host": "acme.testserver"})
        browser.force_login(make.member(role, **chosen).user)
        return browser

    return sign_in


@pytest.fixture
def story(acme, receiver) -> WebhookDelivery:
    """An event whose webhook failed once."""
    receiver.answers, receiver.content = [500], b"out of order"
    factory.endpoint(receiver.url, branch_id=make.head_office().id)
    event = factory.publish(branch_id=make.head_office().id)
    planned = factory.planned(event)[0]
    webhook_attempts.make(endpoint_id=planned.endpoint_id, now=NOW)
    return planned


@pytest.fixture
def dead(acme) -> EventDelivery:
    factory.publish(INTERNAL_TYPE)
    handlers.failing.add("write")
    for day in range(20):
        relay.run_due(queue="events", now=NOW + timedelta(days=day))
    handlers.forget()
    return EventDelivery.objects.get(status=DeliveryStatus.DEAD)


def act(browser: Client, page: str, action: str, row, **fields: str) -> str:
    """Send the dialog and return what the person reads next."""
    answer = dialogs.send(browser, f"/portal/events/{page}/{row.pk}/do/{action}/", **fields)
    if answer.status_code != 204:
        return answer.content.decode()
    return browser.get(answer.headers["HX-Redirect"]).content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_shows_each_list(portal, story, page):
    answer = portal("auditor").get(f"/portal/events/{page}/")

    assert answer.status_code == 200
    assert "order_placed" in answer.content.decode() or page == "webhookendpoint"


@pytest.mark.parametrize("page", PAGES)
def test_hides_each_list_from_who_may_not_see_it(portal, story, page):
    assert portal("accountant").get(f"/portal/events/{page}/").status_code == 403


def test_shows_a_delivery_with_its_attempts_and_no_form(portal, story, in_organisation):
    browser = portal("auditor")

    page = browser.get(f"/portal/events/webhookdelivery/{story.pk}/change/").content.decode()

    assert "out of order" in page
    assert "HTTP 5xx" in page
    assert 'name="_save"' not in page


def test_shows_the_data_of_an_event_with_masked_phones(portal, acme):
    data = {"object": {"id": "ord_1", "payer": {"phone": "+254712345678"}}}
    event = factory.publish(data=data, branch_id=make.head_office().id)

    page = portal("auditor").get(f"/portal/events/outboxevent/{event.id}/change/").content.decode()

    assert "ord_1" in page
    assert "+2547*****678" in page
    assert "254712345678" not in page


def test_shows_an_endpoint_without_its_secret(portal, story, in_organisation):
    in_organisation("acme")
    endpoint = WebhookEndpoint.objects.get()

    page = portal("auditor").get(f"/portal/events/webhookendpoint/{endpoint.pk}/change/").content.decode()

    assert endpoint.url in page
    assert "sealed" not in page


def test_shows_only_the_branches_of_a_bound_person(portal, story):
    browser = portal("auditor", branches=(make.branch(),))

    for page in PAGES:
        assert "order_placed" not in browser.get(f"/portal/events/{page}/").content.decode()
    assert browser.get(f"/portal/events/webhookdelivery/{story.pk}/change/").status_code == 302


def test_requeues_a_dead_letter(portal, dead, in_organisation):
    page = act(portal("developer"), "eventdelivery", "requeue", dead)

    in_organisation("acme")
    dead.refresh_from_db()
    assert dead.status == DeliveryStatus.PENDING
    assert "requeued." in page
    record = AuditRecord.objects.get(action="event_delivery.requeued")
    assert (record.actor_kind, record.application) == ("USER", "portal")


def test_skips_a_dead_letter_for_a_reason(portal, dead, in_organisation):
    browser = portal("developer")

    refusal = act(browser, "eventdelivery", "skip", dead)
    assert "This field is required" in refusal
    assert "in 5 characters or more" in act(browser, "eventdelivery", "skip", dead, reason="no")
    act(browser, "eventdelivery", "skip", dead, reason="counted by hand")

    in_organisation("acme")
    dead.refresh_from_db()
    assert dead.status == DeliveryStatus.SKIPPED
    assert AuditRecord.objects.get(action="event_delivery.skipped").reason == "counted by hand"


def test_requeues_several_dead_letters_at_once(portal, dead, in_organisation):
    browser = portal("developer")
    url = f"/portal/events/eventdelivery/do/requeue/?_selected_action={dead.pk}&_selected_action=no-key"

    assert "Requeue the event" in dialogs.open_at(browser, url).content.decode()
    dialogs.send(browser, url)

    in_organisation("acme")
    dead.refresh_from_db()
    assert dead.status == DeliveryStatus.PENDING


def test_replays_a_delivery(portal, story, in_organisation):
    act(portal("developer"), "webhookdelivery", "replay", story)

    in_organisation("acme")
    assert AuditRecord.objects.get(action="webhook_delivery.replayed").object_id == str(story.pk)


def test_switches_an_endpoint_off_and_on(portal, story, in_organisation):
    browser, endpoint = portal("developer"), story.endpoint

    act(browser, "webhookendpoint", "disable", endpoint)
    in_organisation("acme")
    assert WebhookEndpoint.objects.get().status == EndpointStatus.DISABLED

    act(browser, "webhookendpoint", "enable", endpoint)
    in_organisation("acme")
    assert WebhookEndpoint.objects.get().status == EndpointStatus.ENABLED


@pytest.mark.parametrize(("page", "action"), [("eventdelivery", "requeue"), ("eventdelivery", "skip")])
def test_lets_only_those_act_who_may(portal, dead, in_organisation, page, action):
    act(portal("auditor"), page, action, dead, reason="long enough")

    in_organisation("acme")
    dead.refresh_from_db()
    assert dead.status == DeliveryStatus.DEAD
