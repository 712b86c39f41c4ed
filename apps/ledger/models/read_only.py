"""The base of every table of the ledger: rows are read here and written by the ledger's SQL functions."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NoReturn

from django.db import models


def choices(values: Iterable[StrEnum]) -> list[tuple[str, str]]:
    return [(value.value, value.replace("_", " ").capitalize()) for value in values]


class LedgerIsReadOnly(TypeError):
    """Code tried to write a ledger table by the ORM; the services of the ledger are the way."""


class ReadOnlyQuerySet(models.QuerySet):
    """A queryset whose writing methods raise LedgerIsReadOnly; the database role could not write either."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise LedgerIsReadOnly(f"{self.model.__name__} is written by the ledger's services only")

    create = get_or_create = update_or_create = bulk_create = bulk_update = update = delete = _refuse


ReadOnlyManager = models.Manager.from_queryset(ReadOnlyQuerySet)


class LedgerModel(models.Model):
    """A managed table that the ORM only reads."""

    objects = ReadOnlyManager()

    class Meta:
        abstract = True

    def save(self, *_: Any, **__: Any) -> NoReturn:
        raise LedgerIsReadOnly(f"{type(self).__name__} is written by the ledger's services only")

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise LedgerIsReadOnly(f"{type(self).__name__} is written by the ledger's services only")
