"""Addresses below ``/pay/`` on an organisation's own host."""

from django.urls import path

from apps.invoicing.pages import pay

urlpatterns = [
    path("brand.css", pay.brand_sheet, name="pay-brand"),
    path("<str:secret>", pay.show, name="pay"),
    path("<str:secret>/prompt", pay.prompt, name="pay-prompt"),
    path("<str:secret>/by/<slug:method>", pay.start, name="pay-start"),
    path("<str:secret>/leave", pay.leave, name="pay-leave"),
    path("<str:secret>/receipt", pay.claim, name="pay-claim"),
    path("<str:secret>/picture.png", pay.picture, name="pay-picture"),
    path("<str:secret>/receipt.pdf", pay.receipt_pdf, name="pay-receipt-pdf"),
]
