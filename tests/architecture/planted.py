"""What no reviewer would let pass: wirings and an address map that break the house rules, for the checks to find."""

from rest_framework.routers import SimpleRouter

from apps.events.contracts import Handler
from apps.kit.views import TreasuryViewSet

NOT_THERE = {"payment_success": (Handler("apps.payments.subscribers.not_there"),)}
NOT_A_SUBSCRIBER = {"payment_success": (Handler("apps.payments.services.callbacks.apply"),)}
NOT_FOR_SEVERAL = {"payment_success": (Handler("apps.payments.subscribers.apply_callback", batch=True),)}
REAL_HANDLER = {"payment_success": (Handler("apps.payments.subscribers.apply_callback"),)}
NOT_DECLARED = {"payment_teleported": (Handler("apps.payments.subscribers.apply_callback"),)}


class Unscoped(TreasuryViewSet):
    """Lists something and says no scope for it."""

    def list(self, request: object, **_: str) -> None: ...


router = SimpleRouter(trailing_slash=False)
router.register("unscoped", Unscoped, basename="unscoped")
urlpatterns = router.urls
