"""A developer's machine: script/server sets the environment; the simulator stands in for every provider."""

from treasury.settings.api import *
from treasury.settings.base import *
from treasury.settings.celery import *
from treasury.settings.database import *
from treasury.settings.observability import *
from treasury.settings.security import *
from treasury.settings.storage import *
from treasury.settings.unfold import *

ALLOWED_HOSTS = [*ALLOWED_HOSTS, "localhost", ".localhost", "127.0.0.1", "[::1]"]
STATIC_ROOT = None  # nothing is collected here: static files come from where they lie
TREASURY["SANDBOX_INBOX_LOCAL"] = True
TREASURY["VALIDATE_EVENTS"] = True
TREASURY["PLATFORM_SECOND_FACTOR"] = False
