"""Bulk: many payments at once, each of which is created or refused by itself."""

from datetime import timedelta

import pytest

from apps.access.models import ApiKey
from apps.access.services import api_keys
from apps.events.models import OutboxEvent
from apps.jobs.models import Job
from apps.jobs.services import jobs as stop
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.payments.api import bulk_serializers
from apps.payments.models import BulkItem, PaymentIntent
from apps.payments.services import bulks
from tests.factories import access, jobs, payments
from tests.payments import cards
from tests.payments.partner import Partner, body, refused


@pytest.fixture
def shop(committed_acme):
    payments.account()
    return Partner()


def order(number, **changes):
    return body(**{"reference": f"ORD-{number}", "payer": {"phone": f"07123456{number:02}"}, **changes})


def work():
    """Have a worker do the newest job, and return it."""
    job = Job.objects.latest("id")
    jobs.work(job, now=clock.now())
    return jobs.reloaded(job)


def results(shop, bulk, **query):
    return shop.get(f"/bulk/{bulk['id']}/items", **query).json()["data"][::-1]


def test_creates_each_payment_by_itself(shop):
    cards.account(currency="KES")
    shop.post(body=order(9))
    sent = [
        order(1, method=None, methods=["card", "mpesa"]),
        order(2, amount={"amount": "1500.50", "currency": "KES"}),
        order(3, colour="red"),
        order(9),
        order(1),
        body(reference=None),
        7,
        order(6, **{"a\x00b\ud800": 1}),
        order(4, confirm=False, method=None, payer=None),
    ]

    answer = shop.post("/bulk", {"payments": sent})
    bulk = answer.json()

    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/acme/payments/bulk/{bulk['id']}"
    assert (bulk["object"], bulk["status"]) == ("payment_bulk", "queued")
    assert bulk["progress"] == {"total": 9, "waiting": 5, "created": 0, "refused": 4, "stopped": 0}
    job = work()
    assert (job.status, job.done, job.failed, job.total) == ("SUCCEEDED", 9, 7, 9)
    now = shop.get(f"/bulk/{bulk['id']}").json()
    assert (now["status"], now["progress"]) == (
        "succeeded",
        {"total": 9, "waiting": 0, "created": 2, "refused": 7, "stopped": 0},
    )
    said = results(shop, bulk)
    assert [each["index"] for each in said] == [*range(9)]
    problems = [(each["problem"] or {}).get("code") for each in said]
    invalid = "validation_error"
    assert problems == [
        None, "amount_not_whole", invalid, "duplicate_reference", "duplicate_reference", invalid, invalid, invalid, None,
    ]  # fmt: skip
    pointers = [each["problem"]["errors"][0]["pointer"] for each in said if each["problem"]]
    assert pointers == [
        "/amount",
        "/colour",
        "/reference",
        "/reference",
        "/reference",
        "/",
        "/ab\\ud800",
    ]
    made = [shop.get(f"/{each['payment_id']}").json() for each in said if each["payment_id"]]
    assert [(each["reference"], each["status"]) for each in made] == [
        ("ORD-1", "processing"),
        ("ORD-4", "requires_method"),
    ]
    assert [each["methods"] for each in made] == [["card", "mpesa"], []]
    assert PaymentIntent.objects.count() == 3
    assert OutboxEvent.objects.filter(type="payment_intent_created").count() == 3
    assert all(item.request == {} for item in BulkItem.objects.all())
    assert [each["index"] for each in results(shop, bulk, status="created")] == [0, 8]


def test_the_same_key_makes_one_bulk(shop):
    first = shop.post("/bulk", {"payments": [order(1)]}, **{"Idempotency-Key": "one"})
    again = shop.post("/bulk", {"payments": [order(1)]}, **{"Idempotency-Key": "one"})

    assert (first.content, again.headers["Idempotent-Replayed"]) == (again.content, "true")
    assert BulkItem.objects.count() == Job.objects.count() == 1


def test_refuses_none_and_too_many_and_writes_nothing(shop):
    refused(shop.post("/bulk", {"payments": []}), 422, "bulk_empty", "/payments")
    many = [{}] * (bulks.ITEMS_MAX + 1)
    refused(shop.post("/bulk", {"payments": many}), 422, "bulk_too_long", "/payments")
    refused(shop.post("/bulk", {}), 422, "required", "/payments")
    refused(
        shop.post("/bulk", {"payments": [order(1)]}, **{"Idempotency-Key": ""}),
        400,
        "idempotency_key_required",
    )

    assert not BulkItem.objects.exists()
    assert not Job.objects.exists()


class Unread(list):
    """A list of which nobody may look at one thing."""

    def __iter__(self):
        raise AssertionError("somebody reads what is too long")


def test_counts_the_payments_before_it_reads_any():
    body = bulk_serializers.BulkListIn(data={"payments": Unread([{}] * (bulks.ITEMS_MAX + 1))})

    with pytest.raises(bulks.BulkTooLong):
        body.is_valid()


def test_keeps_no_number_of_a_card_and_stops_none_of_the_others_for_one(shop):
    card = "4242424242424242"
    sent = [order(1, reference=card), order(2, method=card), order(3, **{card: "x"}), order(4)]

    said = results(shop, shop.post("/bulk", {"payments": sent}).json())

    assert [(each["reference"], (each["problem"] or {}).get("code")) for each in said] == [
        ("", "validation_error"),
        ("ORD-2", "validation_error"),
        ("ORD-3", "validation_error"),
        ("ORD-4", None),
    ]
    assert [error["pointer"] for each in said[:3] for error in each["problem"]["errors"]] == [
        "/reference",
        "/method",
        "/[card]",
    ]
    assert card not in str([vars(item) for item in BulkItem.objects.all()])


def test_goes_on_where_a_worker_was_killed(shop):
    shop.post("/bulk", {"payments": [order(1), order(2), order(3)]})
    job = Job.objects.get()

    jobs.work(job, chunks=2, now=clock.now())
    made = PaymentIntent.objects.count()
    job.refresh_from_db()
    Job.objects.filter(id=job.id).update(status="QUEUED")
    done = work()

    assert (made, PaymentIntent.objects.count()) == (1, 3)
    assert (done.status, done.done, done.failed) == ("SUCCEEDED", 3, 0)


def test_what_is_left_of_a_bulk_that_was_stopped_waits_no_more(shop):
    bulk = shop.post("/bulk", {"payments": [order(1), order(2), order(3), 7]}).json()
    job = Job.objects.get()
    jobs.work(job, chunks=2, now=clock.now())
    stop.cancel(job_id=job.id, actor=SYSTEM, now=clock.now())
    stopping = shop.get(f"/bulk/{bulk['id']}").json()["progress"]

    Job.objects.filter(id=job.id).update(status="QUEUED")
    work()

    said = shop.get(f"/bulk/{bulk['id']}").json()
    assert stopping == {"total": 4, "waiting": 2, "created": 1, "refused": 1, "stopped": 0}
    assert said["progress"] == {**stopping, "waiting": 0, "stopped": 2}
    assert (said["status"], said["finished_at"] is not None) == ("cancelled", True)
    states = ["created", "stopped", "stopped", "refused"]
    assert [item["status"] for item in results(shop, bulk)] == states
    assert [item["index"] for item in results(shop, bulk, status="stopped")] == [1, 2]
    assert results(shop, bulk, status="waiting") == []
    assert PaymentIntent.objects.count() == 1


def test_a_key_that_was_closed_meanwhile_pays_no_more(shop):
    bulk = shop.post("/bulk", {"payments": [order(1), order(2), order(3)]}).json()
    job = Job.objects.get()
    jobs.work(job, chunks=2, now=clock.now())

    api_keys.revoke(key_id=ApiKey.objects.get().id, actor=SYSTEM, now=clock.now())
    Job.objects.filter(id=job.id).update(status="QUEUED")
    done = work()

    assert (done.status, done.done, done.failed) == ("SUCCEEDED", 3, 2)
    said = [item.problem and item.problem["code"] for item in BulkItem.objects.order_by("position")]
    assert said == [None, "api_key_closed", "api_key_closed"]
    assert PaymentIntent.objects.count() == 1
    assert bulk["progress"]["waiting"] == 3


def test_each_payment_is_of_the_instant_at_which_it_is_made(shop):
    shop.post("/bulk", {"payments": [order(1), order(2)]})
    starts = clock.now()
    instants = [starts + timedelta(minutes=minute) for minute in range(9)]

    jobs.work(Job.objects.get(), now=starts, read_clock=iter(instants).__next__)

    first, second = PaymentIntent.objects.order_by("reference").values_list("confirmed_at", flat=True)
    assert second - first >= timedelta(minutes=1)


def test_doubled_payments_are_kept_apart_as_elsewhere(shop):
    twice = {"payable": {"type": "order", "id": "7"}}
    bulk = shop.post(
        "/bulk",
        {"payments": [order(1, **twice), order(2, **twice), body(reference="A"), body(reference="B")]},
    ).json()

    work()

    said = [(each["problem"] or {}).get("code") for each in results(shop, bulk)]
    assert said == [None, "payment_in_progress", None, "duplicate_suspected"]


def test_a_key_of_a_branch_asks_for_its_own_only_and_others_do_not_see_it(shop):
    bound = Partner(branch=access.branch())
    office = ids.encode("br", access.head_office().id)

    bulk = bound.post("/bulk", {"payments": [order(1, branch_id=office), order(2)]}).json()
    work()

    said = results(bound, bulk)
    assert [(each["problem"] or {}).get("code") for each in said] == ["branch_forbidden", None]
    assert shop.get(f"/bulk/{bulk['id']}").status_code == 200
    for stranger in (Partner(application_slug="till"), Partner(branch=access.branch("MSA", "Mombasa"))):
        refused(stranger.get(f"/bulk/{bulk['id']}"), 404, "resource_not_found")
        refused(stranger.get(f"/bulk/{bulk['id']}/items"), 404, "resource_not_found")
