"""The pay page: what a payer with a link is asked for, the prompt on his phone, and his receipt."""

import functools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.documents.contracts import PDF
from apps.documents.services import artifacts
from apps.invoicing.pages import words
from apps.invoicing.selectors import receipts
from apps.kit import brand, clock, errors, phones, remote
from apps.kit.money import Money
from apps.payments.contracts import IntentStatus
from apps.payments.services import methods, pay_pages, paybills
from apps.payments.services.pay_pages import PayPageUnknown
from apps.tenancy.selectors import branding

if TYPE_CHECKING:  # another app's model
    from apps.invoicing.models import Document
    from apps.payments.models import PaymentIntent

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PRIVATE = {
    "Content-Security-Policy": POLICY,
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
"""
The address is the secret: it is found by nobody, kept by no browser, and told to nobody outside by the policy of all our
pages. (``no-referrer`` would go too far: browsers then hide where a form comes from, and it is refused.)
"""

GONE, REFUSED, TOO_MANY = 404, 422, 429
PROMPT_SECONDS = 60
BY_HAND = "paybill"
"""The name by which an address shows the numbers of the Paybill, and is not looked at anew by itself: somebody types."""
ONWARD = "onward"
"""The name by which an address takes the payer on to the provider's page; by the plain address he comes back from there."""
YEAR = 365 * 24 * 3600
ASK, WAIT, PAID, PART, CLOSED, REVIEW, UNKNOWN = "ask", "wait", "paid", "part", "closed", "review", "unknown"
STATES = {
    IntentStatus.REQUIRES_METHOD: ASK,
    IntentStatus.REQUIRES_CONFIRMATION: ASK,
    IntentStatus.PROCESSING: WAIT,
    IntentStatus.ACTION_REQUIRED: WAIT,
    IntentStatus.REQUIRES_CAPTURE: WAIT,
    IntentStatus.UNKNOWN: UNKNOWN,
    IntentStatus.SUCCEEDED: PAID,
    IntentStatus.PARTIALLY_PAID: PART,
    IntentStatus.IN_REVIEW: REVIEW,
    IntentStatus.FAILED: CLOSED,
    IntentStatus.CANCELLED: CLOSED,
    IntentStatus.EXPIRED: CLOSED,
}
"""What the page shows while the payment is in a state."""

type Page = Callable[..., HttpResponse]


def private(page: Page) -> Page:
    """Keep the address of a page and what stands on it from everybody else, whatever it answers."""

    @functools.wraps(page)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = page(request, *args, **kwargs)
        for name, value in PRIVATE.items():
            response.headers[name] = value
        return response

    return wrapper


@require_GET
def brand_sheet(_request: HttpRequest) -> HttpResponse:
    """Return the organisation's colours; the address names the colour, so a browser may keep it."""
    weights = brand.scale(branding.present().color)
    lines = "".join(f"--color-primary-{weight}:{colour};" for weight, colour in weights.items())
    accent = (
        f"--t-accent:{weights['600']};--t-link:{weights['700']};--t-on-accent:{brand.on(weights['600'])};"
    )
    return HttpResponse(
        f":root{{{lines}{accent}}}",
        content_type="text/css; charset=utf-8",
        headers={"Cache-Control": f"public, max-age={YEAR}, immutable"},
    )


@private
@require_GET
def show(request: HttpRequest, secret: str) -> HttpResponse:
    """Show what is asked for, how it stands, and what the payer can do now."""
    language = request.GET.get("language")
    if language in dict(settings.LANGUAGES):
        response = HttpResponseRedirect(reverse("pay", args=[secret]))
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, samesite="Lax", max_age=YEAR)
        return response
    return _page(request, secret)


@private
@require_POST
def prompt(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask for the money on the phone that was typed; a repetition asks for nothing and shows how it stands."""
    phone = request.POST.get("phone", "")
    try:
        pay_pages.prompt(secret=secret, phone=phone, source=_source(request), now=clock.now())
    except errors.DomainError as refusal:
        return _page(request, secret, refusal=refusal, phone=phone)
    return HttpResponseRedirect(reverse("pay", args=[secret]))


@private
@require_POST
def start(request: HttpRequest, secret: str, method: str) -> HttpResponse:
    """Have the payer asked on a page of the provider's, and take him there as soon as it is known."""
    try:
        pay_pages.start(secret=secret, method=method, source=_source(request), now=clock.now())
    except errors.DomainError as refusal:
        return _page(request, secret, refusal=refusal)
    return HttpResponseRedirect(f"{reverse('pay', args=[secret])}?{ONWARD}=1")


@private
@require_POST
def leave(request: HttpRequest, secret: str) -> HttpResponse:
    """Have the page of the provider's closed for a payer who wants to pay another way."""
    try:
        pay_pages.leave(secret=secret, source=_source(request), now=clock.now())
    except errors.DomainError as refusal:
        return _page(request, secret, refusal=refusal)
    return HttpResponseRedirect(reverse("pay", args=[secret]))


@private
@require_POST
def claim(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the receipt number of a payer who says that he has paid, and show how it stands."""
    receipt = request.POST.get("receipt", "")
    try:
        claimed = pay_pages.claim(secret=secret, receipt=receipt, source=_source(request), now=clock.now())
    except errors.DomainError as refusal:
        return _page(request, secret, refusal=refusal, receipt=receipt)
    return _page(request, secret, claimed=claimed, receipt=receipt)


@private
@require_GET
def picture(request: HttpRequest, secret: str) -> HttpResponse:
    """Give out the picture that a phone reads the numbers from; 404 where there is none now, with nothing to read."""
    try:
        made = pay_pages.picture(secret=secret, source=_source(request), now=clock.now())
    except errors.DomainError as refusal:
        return HttpResponse(status=_code_of(refusal))
    return HttpResponse(made, content_type="image/png") if made else HttpResponse(status=GONE)


@private
@require_http_methods(["GET"])
def receipt_pdf(request: HttpRequest, secret: str) -> HttpResponse:
    """Download a receipt of a paid intent, of its last part unless a number is named; 404 while it is being made."""
    try:
        intent = pay_pages.find(secret=secret, now=clock.now())
    except PayPageUnknown:
        return _gone(request)
    issued = receipts.of_intent(intent.id)
    number = request.GET.get("number") or (issued[-1].number if issued else "")
    receipt = next((one for one in issued if one.number == number), None)
    file = receipts.file_of(receipt) if receipt else None
    if receipt is None or file is None:
        return _page(request, secret, status=GONE)
    return HttpResponse(
        artifacts.read(file_id=file.id),
        content_type=PDF,
        headers={"Content-Disposition": f'attachment; filename="{receipt.number}.pdf"'},
    )


def _page(
    request: HttpRequest,
    secret: str,
    *,
    refusal: errors.DomainError | None = None,
    status: int = 200,
    **typed: Any,
) -> HttpResponse:
    now = clock.now()
    try:
        intent = pay_pages.find(secret=secret, now=now)
    except PayPageUnknown:
        return _gone(request)
    state = STATES[IntentStatus(intent.status)]
    is_on_page = intent.current_attempt is not None and intent.current_attempt.is_patient
    is_onward = ONWARD in request.GET
    if is_on_page and not is_onward and request.method == "GET":
        pay_pages.look_again(intent, now=now)
    issued, has_pdf = _issued(intent)
    due, paid = pay_pages.due(intent), Money(intent.paid_minor, intent.currency)
    is_by_paybill = state == ASK or due is not None or (state == WAIT and not is_on_page)
    is_by_hand = BY_HAND in request.GET
    seconds = _seconds_left(intent, now)
    context = {
        **_frame(),
        "secret": secret,
        "state": state,
        "currency": intent.currency,
        "amount": str((due or paid) if state == PART else intent.money).partition(" ")[2],
        "paid": paid,
        "due": due,
        "intent": intent,
        "attempt": intent.current_attempt,
        "paybill": paybills.of(intent) if is_by_paybill else None,
        "methods": methods.offered(intent, now=now) if state == ASK else [],
        "is_on_page": is_on_page,
        "is_onward": is_onward,
        "may_leave": state == WAIT and pay_pages.may_leave(intent, now=now),
        "rail": words.rail(intent),
        "was_left": pay_pages.was_left(intent),
        "failure": words.failure(intent) if intent.failure_code else "",
        "phone": phones.masked(intent.payer_phone) if intent.payer_phone else "",
        "seconds": seconds,
        "seconds_gone": PROMPT_SECONDS - seconds,
        "receipts": issued,
        "has_pdf": has_pdf,
        "refusal": words.refusal(refusal) if refusal else "",
        "typed": typed,
        "is_by_hand": is_by_hand,
        "is_watched": (state == WAIT and not is_by_hand and not typed) or (state == PAID and not has_pdf),
        "other_language": "sw" if translation.get_language() == "en" else "en",
    }
    code = _code_of(refusal) if refusal else status
    return render(request, "invoicing/pay/page.html", context, status=code)


def _issued(intent: "PaymentIntent") -> tuple[list["Document"], bool]:
    """Return the receipts that a payer is shown, and whether all money that has paid is on one, each with its PDF."""
    issued = receipts.of_intent(intent.id) if intent.paid_minor else []
    drawn = receipts.files_of(issued)
    is_whole = sum(one.amount_minor for one in issued) == intent.paid_minor
    if len(issued) == 1 and is_whole:
        return issued, bool(drawn)
    return [one for one in issued if one.id in drawn], bool(issued) and is_whole and len(drawn) == len(issued)


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "invoicing/pay/gone.html", _frame(), status=GONE)


def _frame() -> dict[str, Any]:
    look = branding.present()
    return {"look": look, "color": look.color.lstrip("#")}


def _code_of(refusal: errors.DomainError) -> int:
    return refusal.status if refusal.status in (GONE, TOO_MANY) else REFUSED


def _seconds_left(intent: "PaymentIntent", now: datetime) -> int:
    """Return for how many seconds more the prompt on the phone is likely to stand."""
    asked = intent.current_attempt.created_at if intent.current_attempt else intent.confirmed_at
    if asked is None:
        return 0
    left = asked + timedelta(seconds=PROMPT_SECONDS) - now
    return min(PROMPT_SECONDS, max(0, round(left.total_seconds())))


def _source(request: HttpRequest) -> str:
    address = remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])
    return remote.holder(address)
