"""Nouns of organisations and this installation."""

from treasury.operations.registry.arguments import OF_ENDPOINT, hours, trail_head
from treasury.operations.verbs import Argument, Noun, Reach, Verb

TENANT = Noun(
    "tenant",
    "Organisations.",
    (
        Verb(name="list", help="List all organisations, those being set up included.", reach=Reach.PLATFORM),
        Verb(
            name="status",
            help="Say what an organisation waits for, and what somebody must look at.",
            reach=Reach.EACH,
        ),
        Verb(
            name="create",
            help="Open an organisation with its first owner, whose password is printed this once; goes on after an interruption.",
            reach=Reach.PLATFORM,
            writes=True,
            is_owners=True,
            arguments=(
                Argument("slug", "its name in addresses: a-z, 0-9 and hyphen"),
                Argument("name", "its name for people"),
                Argument("--owner-email", "of the first owner", {"required": True}),
                Argument("--owner-name", "of the first owner", {"required": True}),
                Argument("--branch-code", "code of the head office (default HQ)", {"default": "HQ"}),
                Argument("--branch-name", "its name (default Head office)", {"default": "Head office"}),
                Argument("--test", "with the simulator as its providers", {"action": "store_true"}),
            ),
        ),
        Verb(
            name="provision",
            help="Set up, here and now, an organisation that was asked for in the background: when no worker does, or it has failed.",
            reach=Reach.PLATFORM,
            writes=True,
            asks_why=True,
            is_owners=True,
            arguments=(Argument("slug", "of the organisation"),),
        ),
        Verb(
            name="archive",
            help="Write the newest archive of an organisation that is being ended, or has ended, to a new file.",
            reach=Reach.PLATFORM,
            writes=True,
            asks_why=True,
            arguments=(
                Argument("slug", "of the organisation"),
                Argument("file", "where to write the archive; it must not be there"),
            ),
        ),
        Verb(
            name="suspend",
            help="Close an organisation to people and products; callbacks, jobs and webhooks go on, so no money is lost.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
        ),
        Verb(
            name="resume",
            help="Open a suspended organisation again.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
        ),
        Verb(
            name="limit",
            help="Say how many requests a second all keys of an organisation may make together, and how many that move money.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(
                Argument(
                    "--requests",
                    "1 to 10,000; without it as many as anybody's",
                    {"type": int, "default": None},
                ),
                Argument(
                    "--money",
                    "1 to 10,000; without it bounded by its keys alone",
                    {"type": int, "default": None},
                ),
            ),
        ),
        Verb(
            name="migrate",
            help="Run the migrate job: public, template, snapshot, each organisation; safe to repeat.",
            reach=Reach.PLATFORM,
            writes=True,
            is_owners=True,
            is_whole=False,
        ),
    ),
)
KEY = Noun(
    "key",
    "API keys, and what else seals or signs.",
    (
        Verb(
            name="list",
            help="List API keys that open, or with --revoked all of them; never a secret.",
            reach=Reach.EACH,
            arguments=(Argument("--revoked", "the closed ones too", {"action": "store_true"}),),
        ),
        Verb(
            name="revoke",
            help="Close an API key for good, from the next request on.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(Argument("key", "its id (key_…) or its prefix (tsk_live_…)"),),
        ),
        Verb(
            name="rotate-webhook",
            help="Give an endpoint a new signing secret, printed this once; the old one signs too until the grace ends.",
            reach=Reach.ONE,
            writes=True,
            arguments=(
                OF_ENDPOINT,
                Argument(
                    "--grace-hours",
                    "how long both sign, 0 to 168 (default 24)",
                    {"type": hours, "default": 24},
                ),
            ),
        ),
        Verb(
            name="rotate-data",
            help="Make a new data key and seal every secret of the organisation with it; the old key opens what backups hold.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
        ),
    ),
)
SINCE = Argument(
    "--since",
    "recompute links from this number on; earlier ones were verified before",
    {"type": int, "default": 1},
)
HEAD = Argument(
    "--head", "a link whose hash you have kept, NUMBER:HASH, as of an export", {"type": trail_head}
)
AUDIT = Noun(
    "audit",
    "The audit trails and their chains.",
    (
        Verb(
            name="verify",
            help="Recompute the chain of an organisation's audit trail, name the first record that is broken, print the head.",
            reach=Reach.EACH,
            arguments=(SINCE, HEAD),
        ),
        Verb(
            name="verify-platform",
            help="Recompute the chain of the platform's audit trail, as verify does.",
            reach=Reach.PLATFORM,
            arguments=(SINCE, HEAD),
        ),
    ),
)
SYSTEM = Noun(
    "system",
    "This installation.",
    (
        Verb(
            name="check",
            help="Run the system checks, those for a deployment included, and ask database, broker and the storage of files.",
            reach=Reach.PLATFORM,
        ),
        Verb(name="version", help="Say which version this is.", reach=Reach.PLATFORM),
    ),
)
