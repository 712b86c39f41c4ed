"""Markup that pages share: money, badges, instants, the zone, initials of a name."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import connection, models
from django.db.models.options import Options
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from apps.access.selectors import memberships
from apps.kit import admin as markup
from apps.kit import list_views
from apps.kit.money import Money
from apps.ledger.contracts import AccountStatus
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.statements import StatementLine
from apps.portal.contracts import Badge, Target
from apps.portal.selectors import states

register = template.Library()

PAGES = {
    "inbound_receipt": "admin:payments_inboundreceipt_change",
    "payment": "portal-payment",
    "transaction": "portal-transaction",
    "delivery": "portal-delivery",
    "receipt": "portal-receipt-pdf",
}
PUBLIC = "public"
HOUR = 3600
DAY = 24 * HOUR


@register.filter
def money(value: Money | None) -> SafeString:
    """KES 12,400.00."""
    return markup.money_html(value)


@register.filter
def hero(value: Money | None) -> SafeString:
    """KES 12,400.00 with the decimals subtle: for the amount of a page and of a card."""
    return markup.money_html(value, subtle_minor=True)


@register.filter
def amount(value: Money | None) -> SafeString:
    """12,400.00, for a column whose head names the currency."""
    return markup.amount_html(value)


@register.filter
def moved(value: Money | None) -> SafeString:
    """The amount with its sign, for lists of movements."""
    return markup.amount_html(value, plus=True)


@register.filter
def amount_hero(value: Money | None) -> SafeString:
    """12,400.00 with the decimals subtle."""
    return markup.amount_html(value, subtle_minor=True)


@register.filter
def difference(value: Money) -> SafeString:
    """A difference that should be zero: red when it is not."""
    return markup.amount_html(value, css="" if value.is_zero else "is-short")


@register.filter
def short(value: Money) -> SafeString:
    """An amount below zero where it should not be: red."""
    return markup.amount_html(value, css="is-short" if value.minor < 0 else "")


@register.filter
def badge(value: Badge) -> SafeString:
    return markup.badge(value.tone, value.icon, value.word)


@register.filter
def account_badge(status: AccountStatus) -> SafeString:
    return badge(states.ACCOUNT[status])


@register.filter
def on_its_side(account: AccountBalance) -> SafeString:
    """A balance with its currency on its usual side; on the other one it says which: KES 12.00 Cr."""
    shown = markup.money_html(markup.abs_money(account.balance))
    if account.balance.minor >= 0:
        return shown
    return format_html("{} {}", shown, gettext("Cr") if account.is_debit_normal else gettext("Dr"))


@register.filter
def side(account: AccountBalance) -> str:
    """Debit balance or Credit balance, as it stands; nothing for zero."""
    if account.net.is_zero:
        return gettext("Zero balance")
    return gettext("Debit balance") if account.net.is_positive else gettext("Credit balance")


@register.simple_tag
def line_change(line: StatementLine, account: AccountBalance) -> SafeString:
    """What an entry did to the balance on the account's usual side, with its sign."""
    grows = (line.debit is not None) == account.is_debit_normal
    moved_by = line.debit or line.credit
    return markup.amount_html(moved_by if grows or moved_by is None else -moved_by, plus=True)


@register.simple_tag
def target_url(target: Target) -> str:
    """The page of what a step or a fact is about."""
    return reverse(PAGES[target.kind], args=[target.id])


@register.filter
def at(value: datetime | None) -> SafeString:
    """24 Nov 2026, 10:41."""
    return markup.local_time_html(value)


@register.filter
def thousands(value: int) -> str:
    """1,842."""
    return f"{value:,}"


@register.filter
def exactly(value: datetime | None) -> SafeString:
    """24 Nov 2026, 10:41:58."""
    return markup.local_time_html(value, seconds=True)


@register.filter
def clock(value: datetime) -> SafeString:
    """10:41:58, under a heading that names the day."""
    local = timezone.localtime(value)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), local.strftime("%H:%M:%S"))


@register.filter
def local_date(value: datetime) -> Any:
    return timezone.localtime(value).date()


@register.filter
def age(value: datetime, now: datetime) -> str:
    """18 min, 3 h, 2 d: for queues only."""
    seconds = max(0, int((now - value).total_seconds()))
    if seconds < HOUR:
        return gettext("%(count)d min") % {"count": seconds // 60}
    if seconds < DAY:
        return gettext("%(count)d h") % {"count": seconds // HOUR}
    return gettext("%(count)d d") % {"count": seconds // DAY}


@register.filter
def initials(name: str) -> str:
    """SK for Savanna Kitchens, T for Treasury."""
    words = [word for word in str(name).split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.simple_tag
def zone() -> str:
    """EAT (UTC+3): the zone that the page's times are in."""
    offset = timezone.localtime().utcoffset() or timedelta()
    hours = offset.total_seconds() / HOUR
    return f"{zone_name()} (UTC{hours:+g})" if hours else zone_name()


@register.simple_tag
def zone_name() -> str:
    return timezone.localtime().tzname() or "UTC"


@register.simple_tag
def role_name(user: AbstractBaseUser | AnonymousUser) -> str:
    """The person's role in this organisation; outside of one, the name he signs in with."""
    membership = memberships.remembered(user) if connection.schema_name != PUBLIC else None  # type: ignore[attr-defined]
    return membership.role.name if membership else user.get_username()


@register.simple_tag
def title_of_active(navigation: list[dict[str, Any]]) -> str:
    """The menu's word for the present page, so that a list is called the same in both places."""
    return next(
        (str(entry["title"]) for group in navigation for entry in group["items"] if entry["active"]), ""
    )


@register.simple_tag
def version() -> str:
    return str(settings.TREASURY["VERSION"])


@register.simple_tag
def session_hours() -> str:
    hours = settings.SESSION_COOKIE_AGE // HOUR
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}


@register.simple_tag(takes_context=True)
def beside(context: Context, before: Any = "", after: Any = "") -> str:
    """Return this page's query with its filters and another cursor."""
    query = context["request"].GET.copy()
    for name, value in ((markup.BEFORE, before), (markup.AFTER, after)):
        query.pop(name, None)
        if value:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.simple_tag
def list_beside(changelist: ChangeList, before: str = "", after: str = "") -> str:
    """Return the query of an admin list with its filters and another cursor."""
    cursor = {markup.BEFORE: before} if before else {markup.AFTER: after}
    return str(changelist.get_query_string(cursor))


@register.simple_tag
def list_totals(changelist: ChangeList) -> Sequence[Any]:
    """Return the totals of an admin list, one per currency; none for an empty one."""
    if not changelist.result_list or not hasattr(changelist.model_admin, "totals"):
        return ()
    return changelist.model_admin.totals(changelist.queryset)


@register.simple_tag(takes_context=True)
def list_tabs(context: Context, changelist: ChangeList) -> list[Any]:
    """Return the views above an admin list."""
    model_admin: Any = changelist.model_admin
    return model_admin.tabs(context["request"])


@register.simple_tag(takes_context=True)
def list_view_buttons(context: Context, changelist: ChangeList) -> list[dict[str, Any]]:
    """Return the buttons that save, delete and shape the view of an admin list, with its present query."""
    model_admin: Any = changelist.model_admin
    request = context.get("request")
    if request is None or not hasattr(model_admin, "tabs") or not list_views.are_kept():
        return []
    active = next((tab for tab in model_admin.tabs(request) if tab.is_active and tab.is_own), None)
    chosen = [
        ("portal-save-view", gettext("Save this view…"), "star"),
        ("portal-columns", gettext("Columns…"), "view_column"),
    ]
    if active:
        chosen.append(("portal-delete-view", gettext("Delete this view…"), "delete"))
    query = f"?{request.GET.urlencode()}"
    label = changelist.opts.label_lower
    return [
        {"url": reverse(name, args=[label]) + query, "label": text, "icon": icon}
        for name, text, icon in chosen
    ]


@register.simple_tag
def list_url(opts: "Options[Any]") -> str:
    """Return the address of a model's list, which filters nothing."""
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")


@register.simple_tag
def active_filters(changelist: ChangeList) -> list[dict[str, str]]:
    """Return what narrows an admin list, in words, each with the address that takes it away."""
    return [
        {"label": capfirst(f"{spec.title}: {text}"), "url": changelist.get_query_string(remove=[name])}
        for spec in changelist.filter_specs
        for name in map(str, spec.expected_parameters())
        if (text := _words_of(spec, name, changelist.filter_params.get(name)))
    ]


def _words_of(spec: Any, name: str, chosen: Any) -> str:
    """Return what a filter's value is called: a choice by its word, an end of a range with its preposition."""
    if not chosen or not chosen[-1]:
        return ""
    value = str(chosen[-1])
    field = getattr(spec, "field", None)
    known = getattr(spec, "lookup_choices", ())
    words = {str(pair[0]): str(pair[1]) for pair in known if isinstance(pair, tuple)}
    words |= {str(key): str(word) for key, word in getattr(field, "flatchoices", ())}
    if isinstance(field, models.BooleanField):
        words |= {"1": gettext("yes"), "0": gettext("no"), "True": gettext("yes"), "False": gettext("no")}
    if name.endswith("_from"):
        return gettext("from %(value)s") % {"value": value}
    if name.endswith("_to"):
        return gettext("to %(value)s") % {"value": value}
    return words.get(value, value)
