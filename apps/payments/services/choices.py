"""The choice of method and payer, admitted before anything is asked of them."""

from dataclasses import replace
from typing import Protocol
from uuid import UUID

from apps.integrations.contracts import ProviderAccountMissing, takes
from apps.integrations.ports import CapturePort
from apps.integrations.services import providers
from apps.kit import errors
from apps.kit.money import Money
from apps.payments.contracts import RAILS, Choice, Method
from apps.payments.models import SavedMethod, phone
from apps.payments.services import limits, routing, saved_charges

POINTER = "/method"


class MethodRequired(errors.Invalid):
    """A payment is confirmed with a method and a payer."""

    code = "method_required"
    title = "Method required"

    def __init__(self) -> None:
        message = "Name a method and the payer, or create the payment with confirm: false."
        super().__init__(message, errors=[errors.FieldError(POINTER, self.code, message)])


class MethodNotAvailable(errors.Invalid):
    """No account of the branch collects this currency by this method; some methods take no more than some currencies."""

    code = "method_not_available"
    title = "Method not available"

    def __init__(self, method: Method, money: Money, pointer: str = POINTER) -> None:
        name = RAILS[method].name
        message = f"No account of this branch collects {money.currency} by {method.lower()}."
        if not takes(method.provider, money.currency):
            message = f"{name} takes no {money.currency}, and nothing is converted unasked: ask for the payment in a currency that it takes."
        super().__init__(message, errors=[errors.FieldError(pointer, self.code, message)])


class CaptureNotSupported(errors.DomainError):
    """The rail takes the whole sum as soon as the payer agrees: it holds nothing back that could be captured."""

    code = "capture_not_supported"
    title = "Capture not supported"


def require_holding(method: Method) -> None:
    """Raise CaptureNotSupported for a rail that holds nothing back."""
    if not providers.offers(method.provider, CapturePort):
        raise CaptureNotSupported(
            f"{RAILS[method].name} takes the whole sum as soon as the payer agrees. There is nothing to capture."
        )


class Payment(Protocol):
    """A payment that is asked for: the sum, whose it is, and whether it is taken at once."""

    @property
    def money(self) -> Money: ...

    @property
    def branch_id(self) -> UUID: ...

    @property
    def application_id(self) -> UUID: ...

    @property
    def is_captured(self) -> bool: ...


def admitted(choice: Choice | None, *, of: Payment) -> Choice | None:
    """
    Return the choice of a payment with its phone in E.164, after every check; None stays None. Where every rail asks on its own
    page, it may go without a phone. Of several methods, those that cannot take this payment are left out.

    Raises SavedMethodUnknown, SavedMethodNotActive, ConsentMissing and PhoneInvalid; where no method can take the payment, for the
    first one CaptureNotSupported, MethodNotAvailable, AmountNotWhole, AmountTooSmall or AmountTooLarge.
    """
    if choice is None:
        return None
    is_phone_needed = not all(method.is_on_page for method in choice.methods)
    number = phone.normalise(choice.phone) if choice.phone or is_phone_needed else ""
    kept = saved_charges.required(choice, branch_id=of.branch_id, application_id=of.application_id)
    taking, refusals = [], []
    for place, method in enumerate(choice.methods):
        try:
            _require_taking(method, kept, of, pointer=f"/methods/{place}" if choice.others else POINTER)
        except (CaptureNotSupported, MethodNotAvailable, limits.AmountRefused) as refusal:
            refusals.append(refusal)
        else:
            taking.append(method)
    if not taking:
        raise refusals[0]
    return replace(choice, phone=number, method=taking[0], others=tuple(taking[1:]))


def _require_taking(method: Method, kept: SavedMethod | None, of: Payment, *, pointer: str) -> None:
    if not of.is_captured:
        require_holding(method)
    try:
        if kept is None:
            ranges = routing.limits_of(branch_id=of.branch_id, method=method, money=of.money)
        else:
            ranges = routing.limits_of_keeper(kept, money=of.money)
    except ProviderAccountMissing:
        raise MethodNotAvailable(method, of.money, pointer) from None
    smallest, largest = _nearest(ranges, of.money)
    limits.check(money=of.money, method=method, smallest=smallest, largest=largest)


def _nearest(ranges: list[tuple[Money, Money]], money: Money) -> tuple[Money, Money]:
    """Return the limits that hold a sum, or else those that it misses by the least."""
    return min(ranges, key=lambda each: max(each[0].minor - money.minor, money.minor - each[1].minor, 0))
