"""What goes wrong with a provider: three errors that say what to do next, and a body that is not the provider's."""


class ProviderError(Exception):
    """A provider did not do what was asked; ``code`` is ours (``insufficient_funds``), ``provider_code`` theirs."""

    def __init__(self, code: str, message: str = "", *, provider_code: str = "") -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.provider_code = provider_code


class ProviderDeclined(ProviderError):
    """The provider said no. Retrying the same request cannot help."""


class ProviderUnavailable(ProviderError):
    """The request did not reach the provider, or was refused before processing. Retrying is safe."""


class ProviderUncertain(ProviderError):
    """The request may have been carried out. Never retry it: query it."""


class MalformedCallback(ValueError):
    """The body of a callback is not what the provider sends."""
