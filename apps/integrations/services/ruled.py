"""Ports under the rules of an organisation: what an adapter says of a refusal is said again in the organisation's words."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from apps.integrations.contracts import Flow
from apps.integrations.models import ProviderErrorRule
from apps.integrations.ports import (
    RAIL_FAULTS,
    UNKNOWN_CODE,
    CollectionReport,
    Outcome,
    ProviderError,
    ProviderUncertain,
    RefundOutcome,
    RefundReport,
)

DECLINED = "DECLINED"
"""What every report's outcome calls a refusal; a report without an outcome is one where it names a reason."""

OPEN: Mapping[type, Outcome | RefundOutcome] = {
    CollectionReport: Outcome.PENDING,
    RefundReport: RefundOutcome.LOST,
}
"""What a report says of a result that nobody can be sure of: it is asked after, until it is told or the plan is used up."""


MAY_FALL_BACK = RAIL_FAULTS | {UNKNOWN_CODE}
"""What an adapter takes a refusal for after which a rule may let another account ask: what the payer said stays his word."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """
    A port that does as its adapter does, and names refusals as the organisation's rules say.

    The rules are read when there is a refusal, never before. They change its reason and its text for people, how long
    to wait before what never left is sent again, and whether another account may be asked, where the payer has not said no. A refused request, and a result that says no, may become an open one; what
    is open, pending or done stays what the adapter says.
    """

    adapter: Any
    provider: str
    flow: Flow

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.adapter, name)
        if not callable(found):
            return found

        @wraps(found)
        def call(*given: Any, **named: Any) -> Any:
            try:
                answer = found(*given, **named)
            except ProviderError as error:
                renamed = self._renamed(error)
                if renamed is error:
                    raise
                raise renamed from error
            return self._reworded(answer)

        return call

    def _renamed(self, error: ProviderError) -> ProviderError:
        rule = self._rule(error.provider_code, error.message)
        if rule is None or isinstance(error, ProviderUncertain):
            return error
        kind = ProviderUncertain if rule.is_open else type(error)
        message = rule.payer_message or error.message
        return kind(
            rule.reason_code,
            message,
            provider_code=error.provider_code,
            retry_after=rule.retry_after,
            may_fall_back=rule.may_fall_back and error.code in MAY_FALL_BACK,
            is_replayed=error.is_replayed,
        )

    def _reworded(self, answer: Any) -> Any:
        """Return a report of a refusal in the words of the rule; everything else as it is."""
        is_refusal = getattr(answer, "outcome", DECLINED) == DECLINED
        if not is_refusal or not getattr(answer, "reason_code", ""):
            return answer
        rule = self._rule(answer.provider_code, answer.message)
        if rule is None:
            return answer
        said = {"reason_code": rule.reason_code, "message": rule.payer_message or answer.message}
        if rule.is_open and type(answer) in OPEN:
            said["outcome"] = OPEN[type(answer)]
        if isinstance(answer, CollectionReport):
            said["may_fall_back"] = rule.may_fall_back and answer.reason_code in MAY_FALL_BACK
        return dataclasses.replace(answer, **said)

    def _rule(self, code: str, text: str) -> ProviderErrorRule | None:
        """Return the rule of a refusal: one with a fragment of its text before one for any text."""
        if not code:
            return None
        rules = ProviderErrorRule.objects.of_provider(self.provider).filter(flow=self.flow.value, code=code)
        fitting = [rule for rule in rules if rule.fits(text)]
        return max(fitting, key=lambda rule: len(rule.contains), default=None)
