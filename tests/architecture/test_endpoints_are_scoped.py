"""Every address of the API asks for a key, and every action for a scope that fits what it does."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.access.contracts import SCOPES
from apps.kit.views import TreasuryViewSet

API = "v1/<str:tenant_id>/"
READING = {"get", "head", "options"}
# Their answers hold a secret, and answers to idempotent requests are stored; or a repeat changes nothing more.
REPEATABLE = {
    "ApiKeyViewSet.create",
    "ApiKeyViewSet.partial_update",
    "ApiKeyViewSet.revoke",
    "ApiKeyViewSet.rotate",
    "ConnectedAccountViewSet.link",
    "DisputeViewSet.files",
    "DisputeViewSet.remove_file",
    "BranchViewSet.keep",
    "JobViewSet.cancel",
    "PartyViewSet.archive",
    "PartyViewSet.keep",
    "PartyViewSet.partial_update",
    "PaymentIntentViewSet.end_pay_page",
    "ProviderAccountViewSet.ask_balance",
    "ProviderAccountViewSet.check",
    "ProviderAccountViewSet.close_circuit",
    "ProviderAccountViewSet.disable",
    "ProviderAccountViewSet.enable",
    "ProviderAccountViewSet.open_circuit",
    "ProviderAccountViewSet.partial_update",
    "ProviderAccountViewSet.register_addresses",
    "ProviderErrorRuleViewSet.create",
    "ProviderErrorRuleViewSet.retire",
    "SandboxInboxViewSet.destroy",
    "SandboxInboxViewSet.fail_next",
    "WebhookDeliveryViewSet.replay",
    "WebhookEndpointViewSet.create",
    "WebhookEndpointViewSet.destroy",
    "WebhookEndpointViewSet.disable",
    "WebhookEndpointViewSet.enable",
    "WebhookEndpointViewSet.rotate_secret",
}


def api_patterns() -> Iterator[URLPattern]:
    found = get_resolver(settings.ROOT_URLCONF).url_patterns
    [api] = [entry for entry in found if isinstance(entry, URLResolver) and str(entry.pattern) == API]
    yield from api.url_patterns


PATTERNS = list(api_patterns())


def actions() -> list[tuple[type[Any], str, str]]:
    return sorted(
        {
            (pattern.callback.cls, method, action)
            for pattern in PATTERNS
            for method, action in pattern.callback.actions.items()
            if method != "head"  # REST framework adds it to the views that have answered
        },
        key=lambda entry: (entry[0].__name__, entry[1], entry[2]),
    )


ACTIONS = actions()
NAMES = [f"{view.__name__}.{action}" for view, _, action in ACTIONS]


def test_the_api_is_made_of_our_viewsets():
    assert [
        str(pattern) for pattern in PATTERNS if not issubclass(pattern.callback.cls, TreasuryViewSet)
    ] == []


@pytest.mark.parametrize(("view", "method", "action"), ACTIONS, ids=NAMES)
def test_scope_exists_and_fits(view, method, action):
    scope = view.required_scopes[action]

    assert scope in SCOPES
    assert scope.endswith(":read" if method in READING else ":write")


def test_every_scope_opens_something():
    assert set(SCOPES) - {view.required_scopes[action] for view, _, action in ACTIONS} == set()


def test_what_writes_is_idempotent_or_repeatable():
    writing = {
        f"{view.__name__}.{action}": action in view.idempotent_actions
        for view, method, action in ACTIONS
        if method not in READING
    }

    assert {name for name, is_idempotent in writing.items() if not is_idempotent} == REPEATABLE


@pytest.mark.filterwarnings("ignore:No directory at")
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: str(pattern.name))
def test_nothing_answers_without_a_key(acme, pattern):
    kwargs = {"tenant_id": acme.slug, **dict.fromkeys(set(pattern.pattern.regex.groupindex), "x")}
    path = reverse(pattern.name, kwargs=kwargs)

    for method in sorted(
        set(pattern.callback.actions) - {"head"}
    ):  # without a body; there once a view has answered
        answer = Client().generic(method.upper(), path)

        assert answer.status_code == 401, f"{method} {path}"
        assert answer.json()["code"] == "unauthenticated"
