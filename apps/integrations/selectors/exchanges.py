"""Reading what went to providers and what came back: lists for people, facts for a timeline."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import QuerySet

from apps.access.selectors import scope
from apps.integrations.contracts import CallbackFact, CallFact
from apps.integrations.models import ProviderCall, ProviderCallback
from apps.integrations.models.callback import ProviderCallbackQuerySet


def calls_of(subject_ids: Iterable[UUID]) -> list[CallFact]:
    """Return the calls made for these subjects (payment attempts), oldest first, as they may be shown."""
    calls = ProviderCall.objects.of_subjects(list(subject_ids)).order_by("id")
    return [call.as_fact() for call in calls]


def callbacks_of(subject_ids: Iterable[UUID]) -> list[CallbackFact]:
    """Return the callbacks that were found to belong to these subjects, oldest first, as they may be shown."""
    callbacks = ProviderCallback.objects.of_subjects(list(subject_ids)).select_related("processing")
    return [callback.as_fact() for callback in callbacks.order_by("id")]


def calls_visible_to(caller: scope.Principal) -> QuerySet[ProviderCall]:
    """Return the calls of accounts whose branches the caller may see."""
    return ProviderCall.objects.of_branches(scope.branch_ids(caller))


def callbacks_visible_to(caller: scope.Principal) -> ProviderCallbackQuerySet:
    """
    Return the callbacks that the caller may see: all for who sees all branches.

    Others see those that belong to a subject for which one of their branches' accounts made a call.
    """
    return ProviderCallback.objects.of_branches(scope.branch_ids(caller))


def waiting_within(branch_ids: Collection[UUID] | None) -> ProviderCallbackQuerySet:
    """Return the callbacks that wait for people, of these branches or of all. For internal use: no caller's scope is asked."""
    return ProviderCallback.objects.of_branches(branch_ids).waiting()
