"""A change of the approval rules in words: the rule as it is to be beside the one that goes."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.access.selectors import branches, roles
from apps.approvals.contracts import KINDS, CountedBy, RuleAction

type Line = tuple[str, str, str]
"""A label, and what is said of it before and after."""


def lines(payload: Mapping[str, Any]) -> Iterator[Line]:
    """Produce what the change does, line by line; what stays empty is left out."""
    deeds = {
        RuleAction.CREATE: _("New rule"),
        RuleAction.REPLACE: _("Another rule in its place"),
        RuleAction.DEACTIVATE: _("Out of use"),
    }
    yield _("Change"), "", deeds[RuleAction(payload["action"])]
    before, after = said(payload["before"]), said(payload["wanted"])
    for label in {**before, **after}:
        old, new = before.get(label, ""), after.get(label, "")
        if old or new:
            yield label, "" if old == new else old, new


def said(rule: Mapping[str, Any] | None) -> dict[str, str]:
    """Return a rule as a change keeps it, in words by label."""
    if rule is None:
        return {}
    names, places = roles.names(), branches.names()
    kind, window = rule["kind"], rule["window_hours"]
    return {
        _("Kind"): str(KINDS[kind].title) if kind in KINDS else kind,
        _("Branch"): places.get(UUID(rule["branch"]), rule["branch"])
        if rule["branch"]
        else _("All branches"),
        _("Currency"): rule["currency"] or _("Any"),
        _("From"): rule["minimum"],
        _("Below"): rule["maximum"],
        _("Approved by"): "; ".join(_step(step, names) for step in rule["steps"]),
        _("Priority"): str(rule["priority"]),
        _("Counted together"): _("over %(hours)d hours, by %(by)s")
        % {"hours": window, "by": _counted_by(rule["window_by"])}
        if window
        else "",
        _("Remind after (hours)"): str(rule["remind_after_hours"] or ""),
        _("Tell others after (hours)"): _("%(hours)d: %(group)s")
        % {"hours": rule["escalate_after_hours"], "group": _group(rule["escalate_roles"], names)}
        if rule["escalate_after_hours"]
        else "",
    }


def _step(step: Mapping[str, Any], names: Mapping[str, str]) -> str:
    said = {"needed": step["needed"], "group": _group(step["roles"], names)}
    if not step["further_roles"]:
        return _("%(needed)d of %(group)s") % said
    said |= {"hours": step["further_after_hours"], "further": _group(step["further_roles"], names)}
    return _("%(needed)d of %(group)s; after %(hours)d hours also %(further)s") % said


def _group(codes: list[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(code, code) for code in codes)


def _counted_by(by: str) -> str:
    return {
        CountedBy.COUNTERPARTY: _("who is at the other end"),
        CountedBy.PERSON: _("who asks"),
        CountedBy.APPLICATION: _("the application"),
    }[CountedBy(by)]
