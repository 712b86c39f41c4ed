"""A developer's machine while the demo is made: one process, one connection, one organisation from beginning to end."""

from treasury.settings.local import *

DATABASES["default"]["OPTIONS"] = {
    "options": "-c synchronous_commit=off",  # a lost month is made anew
    "server_side_binding": True,  # the same statements over and over: PostgreSQL plans each of them once
    "prepare_threshold": 3,
}
TREASURY["VALIDATE_EVENTS"] = False  # the tests and everything that is done later validate them
