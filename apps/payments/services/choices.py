"""The choice of method and payer, admitted before anything is asked of them."""

from dataclasses import replace
from uuid import UUID

from apps.integrations.contracts import ProviderAccountMissing
from apps.integrations.selectors import accounts
from apps.kit import errors
from apps.kit.money import Money
from apps.payments.contracts import Choice
from apps.payments.models import phone
from apps.payments.services import limits

POINTER = "/method"


class MethodRequired(errors.Invalid):
    """A payment is confirmed with a method and a payer."""

    code = "method_required"
    title = "Method required"

    def __init__(self) -> None:
        message = "Name a method and the payer's phone, or create the payment with confirm: false."
        super().__init__(message, errors=[errors.FieldError(POINTER, self.code, message)])


class MethodNotAvailable(errors.Invalid):
    """No account of the branch collects this currency by this method."""

    code = "method_not_available"
    title = "Method not available"

    def __init__(self, choice: Choice, money: Money) -> None:
        message = f"No account of this branch collects {money.currency} by {choice.method.lower()}."
        super().__init__(message, errors=[errors.FieldError(POINTER, self.code, message)])


def admitted(choice: Choice | None, *, money: Money, branch_id: UUID) -> Choice | None:
    """
    Return the choice with its phone in E.164, after every check; None stays None.

    Raises PhoneInvalid, MethodNotAvailable, AmountNotWhole, AmountTooSmall or AmountTooLarge.
    """
    if choice is None:
        return None
    number = phone.normalise(choice.phone)
    try:
        account = accounts.for_collection(
            branch_id=branch_id, provider=choice.method.provider, currency=money.currency
        )
    except ProviderAccountMissing:
        raise MethodNotAvailable(choice, money) from None
    limits.check(money=money, method=choice.method, smallest=account.minimum, largest=account.maximum)
    return replace(choice, phone=number)
