"""Arguments that verbs of several nouns take."""

from treasury.operations.verbs import Argument

LIMIT = Argument("--limit", "at most so many rows (default 50)", {"type": int, "default": 50})
OF_ENDPOINT = Argument("endpoint", "the id of the endpoint, whe_…")
