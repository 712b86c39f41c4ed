"""Refusals: a domain error carries a stable code, a sentence for people, and the fields that it is about."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; ``pointer`` is a JSON pointer as ``/amount``."""

    pointer: str
    code: str
    message: str


class DomainError(Exception):
    """
    A service cannot do its job.

    ``code`` is stable and part of the API, ``title`` names the kind, ``detail`` says what happened and what to do;
    ``status`` is the HTTP status at the edge; ``retryable`` says that the same request may succeed later.
    """

    code = "conflict"
    title = "Not possible now"
    status = 409
    category = "business"
    retryable = False

    def __init__(self, detail: str = "", *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else."""

    code = "resource_not_found"
    title = "Not found"
    status = 404
    category = "request"


class Forbidden(DomainError):
    """The caller is known but may not do this."""

    code = "forbidden"
    title = "Not allowed"
    status = 403
    category = "authorisation"


class Invalid(DomainError):
    """The request says something that cannot be."""

    code = "validation_error"
    title = "Not valid"
    status = 422
    category = "validation"
