"""Reading API keys; a digest never leaves the app."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.access.models import ApiKey
from apps.access.selectors import scope
from apps.kit.compiled import Compiled


def visible_to(caller: scope.Principal) -> QuerySet[ApiKey]:
    """Return the keys that the caller may see: of his applications and, when he is bound, of his branches only."""
    applications, branches = scope.application_ids(caller), scope.branch_ids(caller)
    chosen = Q()
    if applications is not None:
        chosen &= Q(application_id__in=applications)
    if branches is not None:
        chosen &= Q(branch_id__in=branches)
    return ApiKey.objects.select_related("application", "branch", "created_by__user", "replaces").filter(
        chosen
    )


_BY_PREFIX = Compiled(
    lambda prefix: ApiKey.objects.select_related("application", "created_by").filter(prefix=prefix), str
)


def by_prefix(prefix: str) -> ApiKey | None:
    """Return the key with this public prefix, revoked or not, with what a caller needs."""
    return _BY_PREFIX.first(prefix)


def get(key_id: UUID) -> ApiKey | None:
    return ApiKey.objects.select_related("application", "branch").filter(id=key_id).first()


def may(key_id: UUID, needed: str, *, now: datetime) -> bool:
    """Say whether a key would still be let do what needs this scope, were it shown now: for work that it began."""
    key = get(key_id)
    if key is None or not key.opens(now) or key.application.closed_at is not None:
        return False
    granted, branch_id = key.application.granted_scopes, key.application.granted_branch_id
    is_granted = needed in key.scopes and (granted is None or needed in granted)
    return is_granted and branch_id in (None, key.branch_id)


def everything() -> QuerySet[ApiKey]:
    """Return all keys with application and branch, the oldest first. For internal use: no caller's scope is asked."""
    return ApiKey.objects.select_related("application", "branch").order_by("id")
