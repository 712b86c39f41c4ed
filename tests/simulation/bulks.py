"""Many payments that the partner asks for at once, and the job that creates them, which he may stop."""

from typing import Any

from apps.jobs.models import Job
from apps.kit import ids
from apps.payments.services import bulks
from tests.simulation import partner
from tests.simulation.world import Asked, Broken, World

WRONG = ({"amount": {"amount": "10.50", "currency": "KES"}}, {"colour": "red"}, {"reference": None})
"""What one of the payments may be refused for."""


def create(world: World) -> str:
    """Ask for some payments at once, at times one that must be refused among them."""
    orders = [partner.order(world) for _ in range(world.rng.randrange(2, 5))]
    if world.chance(0.4):
        orders[world.rng.randrange(len(orders))] |= world.rng.choice(WRONG)
    reply = partner.send(world, Asked("/payments/bulk", {"payments": orders}, partner.new_key(world)))
    if reply.status != 202:
        raise Broken(f"{len(orders)} payments at once were answered {reply.status}: {reply.body}")
    return f"{len(orders)} payments -> {reply.body['id']}"


def stop(world: World) -> str | None:
    """Stop a job that creates payments, wherever it is."""
    found = live()
    return _stop(world, world.rng.choice(found)) if found else None


def stop_aside(world: World) -> str:
    """Stop the last one, as another process that may have to wait for its worker."""
    return _stop(world, live()[-1])


def live() -> list[Job]:
    """Return the jobs that create payments and have not ended, oldest first."""
    return list(Job.objects.filter(kind=bulks.KIND, finished_at=None).order_by("id"))


def _stop(world: World, job: Job) -> str:
    reply = world.call("POST", f"/jobs/{ids.encode('job', job.id)}/cancel")
    if reply.status >= 500:
        return "blocked"
    if reply.status == 200:
        world.hit("bulk:stopped")
    return f"{job} -> {reply.status}"


def results(world: World, job: Job) -> dict[str, Any]:
    """Return how many payments of a bulk are in each state, as the partner reads it."""
    reply = world.call("GET", f"/payments/bulk/{ids.encode('blk', job.id)}")
    if reply.status != 200:
        raise Broken(f"{job} cannot be read: {reply.status}")
    return dict(reply.body["progress"])
