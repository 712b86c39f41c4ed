"""What the tests of period pages do: look, open a dialog, send it, and let a worker close."""

from datetime import date, timedelta

from django.db import connection
from django.urls import reverse

from apps.jobs.models import Job
from apps.tenancy.selectors import organisations
from tests import dialogs
from tests.factories import jobs as job_factory
from tests.factories import periods as make
from tests.factories.periods import LATER

LIST = "/portal/ledger/periods/"
OCTOBER = date(2026, 10, 14)
SOON = LATER + timedelta(minutes=10)


def html(client, url):
    response = client.get(url)
    connection.set_tenant(acme_again())
    assert response.status_code == 200, url
    return response.content.decode()


def open_at(client, url):
    response = dialogs.open_at(client, url)
    connection.set_tenant(acme_again())
    return response


def send(client, url, **fields):
    response = dialogs.send(client, url, **fields)
    connection.set_tenant(acme_again())
    return response


def post(client, url, form):
    response = client.post(url, form, headers={"hx-request": "true"})
    connection.set_tenant(acme_again())
    return response


def acme_again():
    """Return the organisation that a request has left."""
    return organisations.everything().get(slug="acme")


def show(period):
    return reverse("portal-period", args=[period.uid])


def deed(name, period, *kind):
    return reverse(f"portal-period-{name}", args=[period.uid, *kind])


def close(client, number, **fields):
    month = make.month(number)
    return send(client, deed("close", month), typed_text=f"2026-{number:02d}", note="", **fields)


def work() -> Job:
    """Let a worker do what waits, as the queue would."""
    job = Job.objects.order_by("id").last()
    job_factory.work(job, now=SOON)
    return job_factory.reloaded(job)
