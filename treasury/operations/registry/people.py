"""Nouns of people, and of what waits for them."""

from treasury.operations.registry.arguments import LIMIT
from treasury.operations.verbs import Argument, Noun, Reach, Verb

EMAIL = Argument("email", "the e-mail that the person signs in with")

MEMBER = Noun(
    "member",
    "The team of an organisation.",
    (
        Verb(name="list", help="List who is or was in the team.", reach=Reach.EACH),
        Verb(
            name="add",
            help="Let a person in: with --name somebody new, else somebody who signs in elsewhere already.",
            reach=Reach.ONE,
            writes=True,
            arguments=(
                EMAIL,
                Argument("--role", "code of the role (default owner)", {"default": "owner"}),
                Argument("--name", "of a person who has no account yet", {"default": ""}),
            ),
        ),
        Verb(
            name="deactivate",
            help="End a membership, from the next request on; the last owner stays.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(EMAIL,),
        ),
    ),
)
USER = Noun(
    "user",
    "People, at every organisation.",
    (
        Verb(
            name="reset-second-factor",
            help="Remove a second factor that was lost. Read docs/runbooks/lost-second-factor.md first.",
            reach=Reach.PLATFORM,
            writes=True,
            asks_why=True,
            arguments=(EMAIL,),
        ),
        Verb(
            name="lift-lock-out",
            help="Let a person sign in again whom wrong passwords have locked out; it ends by itself after 15 minutes.",
            reach=Reach.PLATFORM,
            writes=True,
            asks_why=True,
            arguments=(EMAIL,),
        ),
        Verb(
            name="renew-link",
            help="Make another link for a person who has never signed in, where the platform made the one before.",
            reach=Reach.PLATFORM,
            writes=True,
            asks_why=True,
            arguments=(EMAIL,),
        ),
        Verb(
            name="take-over",
            help="Make an account the platform's that an organisation made, with a new link; nobody who works in a team.",
            reach=Reach.PLATFORM,
            writes=True,
            asks_why=True,
            arguments=(EMAIL,),
        ),
        Verb(
            name="deactivate",
            help="End a person's access everywhere, from the next request on.",
            reach=Reach.PLATFORM,
            writes=True,
            asks_why=True,
            arguments=(EMAIL,),
        ),
    ),
)
APPROVAL = Noun(
    "approval",
    "Deeds that wait for a second person.",
    (
        Verb(
            name="list",
            help="List the requests that wait, the oldest first.",
            reach=Reach.EACH,
            arguments=(LIMIT,),
        ),
        Verb(
            name="expire",
            help="Close the requests that nobody decided in time, as the sweep does each minute.",
            reach=Reach.ONE,
            writes=True,
        ),
    ),
)
