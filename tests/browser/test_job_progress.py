"""The page of a job that runs: it asks again by itself, says a new state once, and notices that its reader is signed out."""

import re
from datetime import timedelta

from apps.access.models import Application, Branch
from apps.jobs.models import Job
from apps.kit import clock

SAID_ANEW = """() => {
    const said = document.getElementById("progress-said").textContent;
    return said !== "Waiting" && said === document.getElementById("progress").dataset.state;
}"""


def waiting() -> Job:
    """Return a job that no worker hears of for an hour."""
    now = clock.now()
    return Job.objects.create(
        kind="export",
        title="Payments",
        branch=Branch.objects.get(is_head_office=True),
        application=Application.objects.get(slug="portal"),
        permission="payments.view",
        started_by="SYSTEM",
        locked_until=now + timedelta(hours=1),
        created_at=now,
    )


def test_says_a_new_state_and_ends_at_the_door_when_signed_out(portal, world):
    job = waiting()
    page = f"{portal.url}jobs/{job.id}/"
    portal.goto(page)
    said = portal.locator("#progress-said")
    said.evaluate("element => { element.isTheSame = true; }")
    assert said.text_content() == "Waiting"

    job.ask_to_stop(by="SYSTEM", at=clock.now())
    job.save(update_fields=["cancel_requested_at", "cancelled_by"])

    portal.wait_for_function(SAID_ANEW)
    assert said.evaluate("element => element.isTheSame")

    portal.context.clear_cookies()

    portal.wait_for_url(re.compile("/login/"))
