"""What goes wrong with a provider: three errors that say what to do next, and a body that is not the provider's."""

from datetime import timedelta

HELD_BACK = "held_back"
UNKNOWN_CODE = "unknown_provider_code"
"""The reason of a refusal whose code its adapter does not know."""
RAIL_FAULTS = frozenset(
    {
        "account_limit",
        "amount_too_large",
        "amount_too_small",
        "auth_token",
        "configuration",
        "credential_locked",
        "currency_not_supported",
        "invalid_credentials",
        "invalid_request",
        "merchant_account_restricted",
        "not_permitted",
        "prompt_failed",
        "provider_unavailable",
        "rate_limited",
    }
)
"""Reasons that are the account's or the rail's own: no payer has said no, and nothing was paid, so another account may ask him."""


class ProviderError(Exception):
    """
    A provider did not do what was asked; ``code`` is ours (``insufficient_funds``), ``provider_code`` theirs.

    ``retry_after`` is how long to wait before the same is asked again, where somebody says so. ``may_fall_back``: a rule
    says that another account may be asked in its place. ``is_replayed``: the provider gives the answer again that it gave to
    the first sending of this request; any other error speaks of this sending alone.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        provider_code: str = "",
        retry_after: timedelta | None = None,
        may_fall_back: bool = False,
        is_replayed: bool = False,
    ) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.provider_code = provider_code
        self.retry_after = retry_after
        self.may_fall_back = may_fall_back
        self.is_replayed = is_replayed


class ProviderDeclined(ProviderError):
    """The provider said no. Retrying the same request cannot help."""


class ProviderUnavailable(ProviderError):
    """The request did not reach the provider, or was refused before processing. Retrying is safe."""


class ProviderHeldBack(ProviderUnavailable):
    """
    Our own gate kept the request back: nobody was asked, so it counts as no try. Ask again after ``pause``.
    """

    def __init__(self, message: str, *, pause: timedelta) -> None:
        super().__init__(HELD_BACK, message, retry_after=pause)
        self.pause = pause


class ProviderUncertain(ProviderError):
    """The request may have been carried out. Never retry it: query it."""


class MalformedCallback(ValueError):
    """The body of a callback is not what the provider sends."""


class ForgedCallback(Exception):
    """A message is not proven: its signature, its time or the account that it names is wrong. Nothing of it is believed."""
