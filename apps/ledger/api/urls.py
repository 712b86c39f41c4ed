"""Where the ledger's API is found, below /v1/{tenantId}/ledger/."""

from rest_framework.routers import BaseRouter

from apps.ledger.api import booking_views, currency_views, journal_views, period_views, report_views, views


def register(router: BaseRouter) -> None:
    """Add this app's resources to the router of the API."""
    router.register("ledger/accounts", views.AccountViewSet, basename="ledger-account")
    router.register("ledger/transactions", booking_views.TransactionViewSet, basename="ledger-transaction")
    router.register("ledger/holds", booking_views.HoldViewSet, basename="ledger-hold")
    router.register("ledger/periods", period_views.PeriodViewSet, basename="ledger-period")
    router.register("ledger/rates", currency_views.RateViewSet, basename="ledger-rate")
    router.register("ledger/exchanges", currency_views.ExchangeViewSet, basename="ledger-exchange")
    router.register("ledger/journals", journal_views.JournalViewSet, basename="ledger-journal")
    router.register("ledger/reports", report_views.ReportViewSet, basename="ledger-report")
