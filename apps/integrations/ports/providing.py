"""How a provider declares itself: all that the product has to know of it, in one place of its own folder."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from apps.integrations.contracts import AccountTerms, CallRole, Credentials
from apps.integrations.ports.line import TokenStore, Transport
from apps.kit import http

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

type Rule = tuple[bool, str, str]
"""Whether it holds, of which field, and what to say where it does not."""


@dataclass(frozen=True, slots=True)
class Line[C: Credentials]:
    """What an adapter of one account is made of; every exchange on its transport is recorded."""

    account: "ProviderAccount"
    credentials: C
    transport: Transport
    tokens: TokenStore
    now: datetime


@dataclass(frozen=True, slots=True)
class Adapter:
    """What keeps the promise of a port: ``kind`` is its class, ``build`` makes one for an account."""

    kind: type
    build: Callable[[Line[Any]], Any]


@dataclass(frozen=True, slots=True)
class SecretText:
    """What people read beside the field of a secret; translatable."""

    label: Any
    help_text: Any = ""


def no_rules(_: AccountTerms, __: Credentials) -> list[Rule]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """
    One provider.

    ``slug`` has at most 16 characters, ``name`` is for people. ``credentials`` are the secrets of an account: a frozen
    dataclass of texts, each with its text in ``secret_texts``. ``calls`` are the kinds of its calls, each of which has a
    circuit and a rate, and what each is for. ``production_url`` is the only address where it moves real money; where
    ``is_one_address``, its sandbox lies there too, and the keys tell them apart.
    ``method`` is how payers pay by it, in capitals as an intent keeps it, and ``method_name`` what they call it, where that is not
    the provider's name; ``is_on_page``: a page of the provider's asks them, else their phone. Without a method nobody pays by it.
    ``currencies`` are all that it takes; none named: whichever its accounts are kept in. ``terms`` are those fields of
    AccountTerms that not every provider knows and this one does. ``rules`` and ``secret_rules`` are what it asks of terms and secrets, beside what holds for
    all. ``ports`` says with what it keeps the promise of each port, ``is_well`` which answers show that it works, refusals
    included. ``reasons`` are ours that its refusals may stand for, each with its sentence for people; ``refusals`` says for which of them
    a code of a payment that is refused stands, where it has one meaning.
    """

    slug: str
    name: str
    credentials: type[Credentials]
    secret_texts: Mapping[str, SecretText]
    calls: Mapping[str, CallRole]
    production_url: str
    is_one_address: bool = False
    currencies: frozenset[str] = frozenset()
    method: str = ""
    method_name: Any = ""
    is_on_page: bool = True
    terms: frozenset[str]
    rules: Callable[[AccountTerms], list[Rule]]
    secret_rules: Callable[[AccountTerms, Any], list[Rule]] = no_rules
    ports: Mapping[type, Adapter]
    is_well: Callable[[http.Answer], bool]
    reasons: Mapping[str, str]
    refusals: Mapping[str, str] = field(default_factory=dict)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The names of the secrets of its accounts."""
        return tuple(each.name for each in fields(self.credentials))

    @property
    def needed_secret_names(self) -> tuple[str, ...]:
        """The names of those without which no money can be collected."""
        return tuple(each.name for each in fields(self.credentials) if each.default is MISSING)
