"""A developer's machine while the demo is made: one process, one connection, one organisation from beginning to end."""

from treasury.settings.local import *

TENANT_LIMIT_SET_CALLS = True  # the search path is set when it changes, not before each statement
DATABASES["default"]["OPTIONS"] = {"options": "-c synchronous_commit=off"}  # a lost month is made anew
TREASURY["VALIDATE_EVENTS"] = False  # the tests and everything that is done later validate them
