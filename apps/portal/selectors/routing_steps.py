"""From decisions to sentences: why a request went through its account, where there was a choice."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.payments.contracts import DROP_REASONS, DropReason
from apps.portal.contracts import Step, Tone


def of_decisions(decisions: Sequence[Any], names: Mapping[str, str], *, rank: int) -> list[Step]:
    """Return a step for each decision that had something to choose; ``names`` are those of the accounts."""
    return [
        Step(
            row.attempt.created_at,
            Tone.PENDING if row.is_fallback else Tone.QUIET,
            "alt_route",
            _title(row) % {"account": names.get(row.candidates[0], "")},
            " ".join([*_rule(row), *_others(row, names), *_dropped(row, names)]),
            rank=rank,
        )
        for row in decisions
        if row.rule or row.is_fallback or row.dropped or len(row.candidates) > 1
    ]


def _title(row: Any) -> str:
    return (
        _("Another account takes over: %(account)s") if row.is_fallback else _("Account chosen: %(account)s")
    )


def _rule(row: Any) -> list[str]:
    if row.rule is None:
        return [_("No rule decided it.")]
    told = {"name": row.rule.name, "number": row.rule.version}
    return [_("By the rule %(name)s, version %(number)d.") % told]


def _others(row: Any, names: Mapping[str, str]) -> list[str]:
    others = ", ".join(names.get(text, text) for text in row.candidates[1:])
    return [_("It could also have been: %(accounts)s.") % {"accounts": others}] if others else []


def _dropped(row: Any, names: Mapping[str, str]) -> list[str]:
    return [
        _("Not %(account)s: %(reason)s.")
        % {"account": names.get(text, text), "reason": DROP_REASONS[DropReason(reason)]}
        for text, reason in row.dropped.items()
    ]
