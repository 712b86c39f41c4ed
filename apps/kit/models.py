"""Bases, fields and conditions of models: time-ordered keys, minor units, protected states, rows only inserted."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django_fsm import FSMFieldMixin

from apps.kit import ids


class InsertOnlyViolation(TypeError):
    """Code tried to change or delete a row that is only ever inserted."""


def one_of(field: str, values: Iterable[str]) -> Q:
    """
    Return ``field = a OR field = b …`` for constraints and partial indexes; ``values`` is not empty.

    PostgreSQL rewrites ``IN`` on a varchar column each time that a dump is restored, so that a restored schema would
    differ from its template.
    """
    return reduce(or_, (Q(**{field: str(value)}) for value in values))


class LockingQuerySet(models.QuerySet):
    """Adds ``locked()``: select for update, this table only."""

    def locked(self) -> Self:
        return self.select_for_update(of=("self",))


class InsertOnlyQuerySet(LockingQuerySet):
    def update(self, **_: Any) -> int:
        raise InsertOnlyViolation(f"{self.model.__name__} rows are only inserted")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise InsertOnlyViolation(f"{self.model.__name__} rows are only inserted")


class UuidModel(models.Model):
    """A row with a time-ordered UUID as its key."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)

    class Meta:
        abstract = True


class InsertOnlyModel(models.Model):
    """A row that is inserted once; the database role may not update or delete it either."""

    if not TYPE_CHECKING:  # subclasses have managers of other querysets
        objects = InsertOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise InsertOnlyViolation(f"{type(self).__name__} rows are only inserted")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        raise InsertOnlyViolation(f"{type(self).__name__} rows are only inserted")


class StatefulModel(models.Model):
    """A model with a protected state field of django-fsm whose refresh works."""

    if not TYPE_CHECKING:  # subclasses have managers of other querysets
        objects = LockingQuerySet.as_manager()

    class Meta:
        abstract = True

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Self] | None = None,
    ) -> None:
        """Reload also the protected state fields, which django-fsm refuses to overwrite or silently keeps stale."""
        if fields is None:
            deferred = self.get_deferred_fields()
            fields = [field.attname for field in self._meta.concrete_fields if field.attname not in deferred]
        fields = list(fields)
        for field in self._meta.concrete_fields:
            if isinstance(field, FSMFieldMixin) and field.attname in fields:
                self.__dict__.pop(field.attname, None)
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)


class MinorField(models.DecimalField):
    """Minor units as NUMERIC(38,0) in the database and int in Python."""

    if TYPE_CHECKING:
        _pyi_private_set_type: int
        _pyi_private_get_type: int  # type: ignore[assignment]
        _pyi_lookup_exact_type: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 38, "decimal_places": 0})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("max_digits", "decimal_places"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def from_db_value(self, value: Decimal | None, *_: Any) -> int | None:
        return None if value is None else int(value)

    def to_python(self, value: Any) -> int | None:
        return None if value is None else int(super().to_python(value))


class CurrencyField(models.CharField):
    """An ISO 4217 code, or a token's name with its chain (USDC.polygon)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_length": 24})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        return name, path, args, kwargs


def is_key(text: str, model: type[models.Model]) -> bool:
    """Whether a text from an address can be the key of a row at all."""
    try:
        model._meta.pk.to_python(text)
    except ValidationError:
        return False
    return is_storable(text)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL keeps a text: it has no NUL, and no half of a surrogate pair, which UTF-8 does not write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
