"""Addresses of the portal's pages, below the organisation's site and before it."""

from django.urls import path

from apps.portal.pages import (
    approvals,
    cash_position,
    evidence,
    frame,
    inboxes,
    jobs,
    journals,
    ledger,
    ledger_downloads,
    lists,
    payments,
    periods,
    reports,
    search,
    transactions,
    webhooks,
)

urlpatterns = [
    path("", cash_position.show, name="portal-cash-position"),
    path("approvals/", approvals.inbox, name="portal-approvals"),
    path("approvals/<uuid:request_id>/", approvals.show, name="portal-approval"),
    path("search/", search.show, name="portal-search"),
    path("payments/<uuid:payment_id>/", payments.show, name="portal-payment"),
    path("evidence/", evidence.show, name="portal-evidence"),
    path("receipts/<uuid:receipt_id>/pdf", payments.receipt_pdf, name="portal-receipt-pdf"),
    path("ledger/accounts/", ledger.accounts, name="portal-accounts"),
    path("ledger/accounts/<uuid:account_uid>/", ledger.account, name="portal-account"),
    path("ledger/transactions/<uuid:transaction_uid>/", transactions.show, name="portal-transaction"),
    path("ledger/transactions/<uuid:transaction_uid>/proof", transactions.proof, name="portal-proof"),
    path(
        "ledger/transactions/<uuid:transaction_uid>/do/reverse/",
        transactions.reverse_dialog,
        name="portal-reverse",
    ),
    path("ledger/do/export/", ledger.export, name="portal-ledger-export"),
    *journals.urlpatterns,
    *ledger_downloads.urlpatterns,
    *periods.urlpatterns,
    *reports.urlpatterns,
    path("jobs/<uuid:job_id>/", jobs.show, name="portal-job"),
    path("jobs/<uuid:job_id>/progress", jobs.progress, name="portal-job-progress"),
    path("jobs/<uuid:job_id>/result", jobs.result, name="portal-job-result"),
    path("webhooks/deliveries/", webhooks.deliveries, name="portal-deliveries"),
    path("webhooks/deliveries/<uuid:delivery_id>/", webhooks.delivery, name="portal-delivery"),
    path("lists/<str:label>/counts/", lists.counts, name="portal-view-counts"),
    path(
        "lists/<str:label>/do/save-view/",
        frame.dialog(lists.SaveView, find=lists.find, back=lists.back),
        name="portal-save-view",
    ),
    path(
        "lists/<str:label>/do/delete-view/",
        frame.dialog(lists.DeleteView, find=lists.find, back=lists.back),
        name="portal-delete-view",
    ),
    path(
        "lists/<str:label>/do/columns/",
        frame.dialog(lists.ChooseColumns, find=lists.find, back=lists.back),
        name="portal-columns",
    ),
    path("inbox/", inboxes.inboxes, name="portal-inboxes"),
    path("inbox/<uuid:inbox_id>/", inboxes.inbox, name="portal-inbox"),
]
