"""Where the approvals API is found, below /v1/{tenantId}/."""

from rest_framework.routers import BaseRouter

from apps.approvals.api import delegation_views, views


def register(router: BaseRouter) -> None:
    """Add this app's resources to the router of the API."""
    router.register("approvals", views.ApprovalRequestViewSet, basename="approval")
    router.register("approval-rules", views.ApprovalRuleViewSet, basename="approval-rule")
    router.register(
        "approval-delegations", delegation_views.ApprovalDelegationViewSet, basename="approval-delegation"
    )
