"""What workers, broker, wire and clock do."""

import json

from apps.kit import jobs
from apps.payments.models import PaymentAttempt
from tests.simulation.world import Message, World

STEPS = (1, 1, 2, 3, 5, 10, 30, 90)
MAGIC = (
    "000",
    "000",
    "000",
    "001",
    "017",
    "019",
    "032",
    "037",
    "201",
    "777",
    "778",
    "778",
    "779",
    "780",
    "781",
    "782",
    "783",
    "784",
)
PULL = "payments.pull_organisation"
FORGED_TOKEN = "f0" * 16
RELAY = jobs.Job("events.relay", {"lane": "events"})
SWEEPS = (
    "payments.sweep_organisation",
    "events.sweep_organisation",
    "jobs.sweep_organisation",
    "disbursements.sweep_organisation",
)


def work(world: World) -> str | None:
    """Deliver a job, in whatever order; seldom lose it, or deliver it once more later."""
    message = draw(world)
    if message is None:
        return None
    fate = world.rng.choices(("once", "lost", "again"), (88, 5, 7))[0]
    if fate == "lost":
        world.broker.remove(message)
        world.hit("broker:lost")
        return f"{job_text(message)} is lost"
    if fate == "again":
        world.hit("broker:duplicated")
        return f"{job_text(message)}, and once more later: {world.run_job(message.content)}"
    return f"{job_text(message)}: {finish(world, message)}"


def draw(world: World) -> Message | None:
    """Draw a job that is due: first its kind, so that the many wake-ups of relays leave room for the others."""
    due = world.due_jobs()
    if not due:
        return None
    kind = world.rng.choice(sorted({message.content.name for message in due}))
    return world.rng.choice([message for message in due if message.content.name == kind])


def beat(world: World) -> str:
    """Start the sweeps, as beat does every few seconds."""
    for name in SWEEPS:
        world.broker.append(Message(world.now, world.next_number(), jobs.Job(name, {})))
    return "sweeps"


def pull(world: World) -> str:
    """Have the provider's movements listed, as beat does every quarter of an hour."""
    world.broker.append(Message(world.now, world.next_number(), jobs.Job(PULL, {})))
    return PULL


def tick(world: World) -> str:
    """Let time pass."""
    seconds = world.rng.choice(STEPS)
    world.tick(seconds)
    return f"{seconds} s"


def receive(world: World) -> str | None:
    """Bring a callback; any of those on the wire, so they overtake each other."""
    if not world.wire:
        return None
    place = world.rng.randrange(len(world.wire))
    if place:
        world.hit("wire:reordered")
    message = world.wire[place]
    fate = world.rng.choices(("once", "lost", "again"), (74, 11, 15))[0]
    what = f"{message.content['kind']} {message.content['id']}"
    if fate == "lost":
        world.wire.remove(message)
        world.hit("wire:lost")
        return f"{what} is lost"
    if fate == "again":
        world.hit("wire:duplicated")
        reply = world.deliver(message.content)
        return f"{what}, and once more later: {reply.status if reply else 'no answer'}"
    return f"{what}: {arrive(world, message)}"


def forge(world: World) -> str:
    """Send a callback that nobody asked for."""
    body = {"Body": {"stkCallback": {"CheckoutRequestID": "ws_CO_1", "ResultCode": 0, "ResultDesc": "Paid"}}}
    url = f"/hooks/{world.organisation.id.hex}/{FORGED_TOKEN}/collection"
    reply = world.deliver({"url": url, "body": body})
    return str(reply.status if reply else "no answer")


def garble(world: World) -> str | None:
    """Send what nobody can read to an address that the provider was given."""
    attempt = PaymentAttempt.objects.order_by("id").last()
    if attempt is None:
        return None
    url = f"/hooks/{world.organisation.id.hex}/{attempt.callback_token}/collection"
    reply = world.deliver({"url": url, "body": {"Body": "?"}})
    return str(reply.status if reply else "no answer")


def finish(world: World, message: Message) -> str:
    world.broker.remove(message)
    outcome = world.run_job(message.content)
    if outcome == "blocked" or outcome.startswith("crashed"):
        world.broker.append(message)  # acknowledged late: what a worker has not finished is delivered again
    return outcome


def arrive(world: World, message: Message) -> str:
    world.wire.remove(message)
    reply = world.deliver(message.content)
    return str(reply.status) if reply else "no answer"


def job_text(message: Message) -> str:
    return f"{message.content.name} {json.dumps(message.content.arguments, sort_keys=True)}"
