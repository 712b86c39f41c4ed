"""Whether the key of a request has the scope that the action needs."""

from typing import TYPE_CHECKING

from rest_framework import permissions
from rest_framework.request import Request

from apps.access.contracts import Caller
from apps.kit import errors

if TYPE_CHECKING:  # rest_framework.views imports this module, because settings name it
    from rest_framework.views import APIView


class InsufficientScope(errors.Forbidden):
    """The key is valid but lacks the scope of this action."""

    code = "insufficient_scope"
    title = "Scope missing"


class ScopePermission(permissions.BasePermission):
    """
    Lets a caller pass whose key holds ``view.required_scopes[view.action]``; an action without one lets nobody pass.

    Raises InsufficientScope, which names the scope.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.user, Caller):
            return False
        action = getattr(view, "action", None)
        if action is None:
            return True  # no handler for this method: REST framework answers 405
        scope = getattr(view, "required_scopes", {}).get(action)
        if scope is None:
            raise errors.Forbidden("No key may do this.")
        if scope not in request.user.scopes:
            raise InsufficientScope(f"This needs a key with the scope {scope}.")
        return True
