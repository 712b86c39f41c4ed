"""THE MAP: which event makes which handler run. One file shows every reaction in the system."""

from apps.events.contracts import Handler

HANDLERS: dict[str, tuple[Handler, ...]] = {
    "approval_decided": (
        Handler("apps.approvals.subscribers.execute_approval", queue="events"),
        Handler("apps.ledger.subscribers.execute_approval", queue="events"),
        Handler("apps.payments.subscribers.execute_approval", queue="events"),
        Handler("apps.disbursements.subscribers.execute_approval", queue="events"),
    ),
    "provider_callback_received": (Handler("apps.payments.subscribers.apply_callback", queue="events"),),
    "provider_webhook_received": (
        Handler("apps.payments.subscribers.apply_webhook", queue="events", atomic=False),
    ),
    "provider_partner_nudged": (Handler("apps.disbursements.subscribers.ask_provider", queue="events"),),
    "payment_partially_paid": (
        Handler("apps.invoicing.subscribers.issue_receipts", queue="events", batch=True),
    ),
    "payment_success": (Handler("apps.invoicing.subscribers.issue_receipts", queue="events", batch=True),),
    "receipt_issued": (
        Handler("apps.invoicing.subscribers.render_receipt", queue="documents", atomic=False),
    ),
}
