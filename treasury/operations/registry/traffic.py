"""Nouns of what is under way: callbacks, events, webhooks, long work."""

from treasury.operations.registry.arguments import LIMIT, OF_ENDPOINT
from treasury.operations.verbs import Argument, Noun, Reach, Verb

OF_DELIVERY = Argument("delivery", "the id of the delivery, as the list shows it")

CALLBACK = Noun(
    "callback",
    "What providers sent us.",
    (
        Verb(
            name="list",
            help="List the callbacks that nothing explained and that wait for people; the oldest first.",
            reach=Reach.EACH,
            arguments=(LIMIT,),
        ),
        Verb(
            name="replay",
            help="Read a stored callback again, byte for byte; what was applied before has no second effect.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(
                Argument("callback", "the id of the callback, as the list shows it", {"nargs": "?"}),
                Argument("--waiting", "all that wait for people, 500 at once", {"action": "store_true"}),
            ),
        ),
    ),
)
OUTBOX = Noun(
    "outbox",
    "Events on their way to our own handlers.",
    (
        Verb(
            name="list",
            help="List deliveries that are dead, or in another state; the oldest first.",
            reach=Reach.EACH,
            arguments=(
                Argument(
                    "--status",
                    "dead (default), pending or skipped",
                    {"choices": ["dead", "pending", "skipped"], "default": "dead"},
                ),
                LIMIT,
            ),
        ),
        Verb(
            name="requeue",
            help="Try a dead delivery again, or with --handler all that are dead of one handler: 20 more times, at once.",
            reach=Reach.ONE,
            writes=True,
            arguments=(
                Argument(OF_DELIVERY.name, OF_DELIVERY.help, {"nargs": "?"}),
                Argument("--handler", "every dead delivery of this handler"),
            ),
        ),
        Verb(
            name="skip",
            help="Give up a dead delivery for good: nobody does what its handler would have done.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(OF_DELIVERY,),
        ),
    ),
)
WEBHOOK = Noun(
    "webhook",
    "Events on their way to applications.",
    (
        Verb(
            name="list",
            help="List deliveries that were given up, or in another state; the newest first.",
            reach=Reach.EACH,
            arguments=(
                Argument(
                    "--status",
                    "exhausted (default), pending, delivered or cancelled",
                    {"choices": ["exhausted", "pending", "delivered", "cancelled"], "default": "exhausted"},
                ),
                LIMIT,
            ),
        ),
        Verb(
            name="retry",
            help="Send a delivery again now, or with --endpoint all that were given up of one endpoint; same webhook id.",
            reach=Reach.ONE,
            writes=True,
            arguments=(
                Argument("delivery", "the id of the delivery, whd_…", {"nargs": "?"}),
                Argument("--endpoint", "every delivery to this endpoint that was given up, 500 at once"),
            ),
        ),
    ),
)
ENDPOINT = Noun(
    "endpoint",
    "Where applications want their webhooks.",
    (
        Verb(name="list", help="List the endpoints, and whether they are on.", reach=Reach.EACH),
        Verb(
            name="open",
            help="Send new events to an endpoint again.",
            reach=Reach.ONE,
            writes=True,
            arguments=(OF_ENDPOINT,),
        ),
        Verb(
            name="close",
            help="Send nothing more to an endpoint: events of this time are not kept for it.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(OF_ENDPOINT,),
        ),
    ),
)
JOB = Noun(
    "job",
    "Long work.",
    (
        Verb(
            name="list",
            help="List jobs that wait or run, or with --ended the last ones that ended.",
            reach=Reach.EACH,
            arguments=(Argument("--ended", "those that have ended", {"action": "store_true"}), LIMIT),
        ),
        Verb(
            name="stop",
            help="Stop a job: at once while it waits, else after the chunk that runs; what was done stays done.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(Argument("job", "the id of the job, job_…"),),
        ),
    ),
)
