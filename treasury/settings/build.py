"""The building of the image: enough to collect the static files; it reaches no server and knows no secret."""

from treasury.settings import env

env.stand_in()  # before the other modules ask for what must be set

from treasury.settings.base import *
from treasury.settings.database import *
from treasury.settings.security import *
from treasury.settings.storage import *

STORAGES["staticfiles"] = {"BACKEND": COLLECTED}
