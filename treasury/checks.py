"""The system checks that this project owns: E001 to E011, each for one rule that review forgets."""

import ast
import inspect
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import import_module
from typing import Any

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.checks import Error, register
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from apps.events.contracts import REGISTRY
from apps.kit.admin import ReadOnlyAdmin
from apps.kit.models import CurrencyField, InsertOnlyModel, MinorField, StatefulModel
from apps.kit.views import TreasuryViewSet

OURS = "apps."
PORTAL_ONLY = "docs/portal-only.md"


def _error(number: int, message: str, subject: object = None) -> Error:
    return Error(message, obj=subject, id=f"treasury.E{number:03d}")


def _our_models() -> Iterator[type[models.Model]]:
    yield from (model for model in apps.get_models() if model.__module__.startswith(OURS))


def _is_shared(model: type[models.Model]) -> bool:
    return any(entry in settings.SHARED_APPS for entry in _entries(model))


def _entries(model: type[models.Model]) -> set[str]:
    config = apps.get_app_config(model._meta.app_label)
    return {config.name, f"{config.__module__}.{type(config).__name__}"}


@register
def every_app_has_one_side(**_: Any) -> list[Error]:
    """E001: every app of ours with models is shared or an organisation's, never both or neither."""
    found = []
    for label in sorted({model._meta.app_label for model in _our_models()}):
        name = apps.get_app_config(label).name
        sides = (name in settings.SHARED_APPS) + (name in settings.TENANT_APPS)
        if sides != 1:
            found.append(_error(1, f"{name} must be in exactly one of SHARED_APPS and TENANT_APPS."))
    return found


@register
def every_handler_is_a_subscriber(**_: Any) -> list[Error]:
    """E002: every handler in the wiring imports, lives in a ``subscribers`` module and takes the event, or events, alone."""
    found = []
    for event_type, handlers in import_string(settings.EVENT_WIRING).items():
        for handler in handlers:
            module, _, _name = handler.path.rpartition(".")
            try:
                function = import_string(handler.path)
            except ImportError as error:
                found.append(_error(2, f"{event_type}: {handler.path} does not import: {error}"))
                continue
            taken = ["events" if handler.batch else "event"]
            if not module.endswith(".subscribers") or list(inspect.signature(function).parameters) != taken:
                wanted = f"{event_type}: {handler.path} is no subscriber that takes ({taken[0]})."
                found.append(_error(2, wanted))
    return found


@register
def every_wired_event_is_declared(**_: Any) -> list[Error]:
    """E003: every event type that is wired or declared is in the catalogue with a schema of its data."""
    wired = import_string(settings.EVENT_WIRING)
    missing = [
        _error(3, f"{name} is wired but no app declares it.") for name in wired if name not in REGISTRY
    ]
    bare = [
        _error(3, f"{name} has no schema.")
        for name, event in REGISTRY.items()
        if not event.schema.get("properties")
    ]
    return missing + bare


@register
def shared_never_points_to_tenant(**_: Any) -> list[Error]:
    """E004: no foreign key leads from a shared model to an organisation's."""
    return [
        _error(4, f"{model._meta.label}.{field.name} leads from shared to {field.related_model._meta.label}.")
        for model in _our_models()
        if _is_shared(model)
        for field in model._meta.get_fields()
        if field.many_to_one
        and field.concrete
        and field.related_model
        and not _is_shared(field.related_model)
    ]


@register
def every_action_declares_its_scope(**_: Any) -> list[Error]:
    """E005: every action of every API view names the scope that it needs."""
    return [
        _error(5, f"{view.__name__}.{action} declares no required scope.")
        for view, actions in api_views()
        for action in actions
        if action not in view.required_scopes
    ]


def api_views() -> Iterator[tuple[type[TreasuryViewSet], set[str]]]:
    """Yield every viewset of the API with the actions that are routed to it."""
    for pattern in _patterns(get_resolver(settings.ROOT_URLCONF).url_patterns):
        view = getattr(pattern.callback, "cls", None)
        if view is not None and issubclass(view, TreasuryViewSet):
            yield view, set(getattr(pattern.callback, "actions", {}).values())


def _patterns(entries: list[Any]) -> Iterator[URLPattern]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns)
        else:
            yield entry


@register
def facts_are_read_only(**_: Any) -> list[Error]:
    """E006: an insert-only or state-machine model has a read-only page in the portal, if any."""
    return [
        _error(6, f"{type(model_admin).__name__} must derive from kit.admin.ReadOnlyAdmin.")
        for model, model_admin in admin.site._registry.items()  # noqa: SLF001 (Django has no other list)
        if issubclass(model, (InsertOnlyModel, StatefulModel)) and not isinstance(model_admin, ReadOnlyAdmin)
    ]


@register
def every_task_has_name_and_queue(**_: Any) -> list[Error]:
    """E007: every task of ours is named ``app.verb_noun`` and has a queue in CELERY_TASK_ROUTES."""
    found = []
    for name, task in current_app.tasks.items():
        module = task.run.__module__
        if not module.startswith(OURS):
            continue
        app_label = module.split(".")[1]
        routed = any(fnmatch(name, pattern) for pattern in settings.CELERY_TASK_ROUTES)
        if not name.startswith(f"{app_label}.") or not routed:
            found.append(
                _error(
                    7,
                    f"the task {name} in {module} needs a name '{app_label}.…' and a queue in CELERY_TASK_ROUTES.",
                )
            )
    return found


@register
def every_provider_keeps_its_promise(**_: Any) -> list[Error]:
    """E008: every provider implements the methods of the ports that it claims."""
    claimed = import_module("apps.integrations.services.providers").PORTS
    found = []
    for provider, implementations in claimed.items():
        for port, implementation in implementations.items():
            missing = [name for name in _methods(port) if not callable(getattr(implementation, name, None))]
            found += [
                _error(8, f"{provider}: {implementation.__name__} lacks {name} of {port.__name__}.")
                for name in missing
            ]
    return found


def _methods(port: type) -> list[str]:
    return [name for name, value in vars(port).items() if callable(value) and not name.startswith("_")]


@register
def every_amount_has_its_currency(**_: Any) -> list[Error]:
    """E009: beside every amount stands a currency, or a foreign key to the row that fixes it."""
    found = []
    for model in _our_models():
        fields = model._meta.get_fields()
        amounts = [field.name for field in fields if isinstance(field, MinorField)]
        has_currency = any(isinstance(field, CurrencyField) for field in fields)
        if amounts and not has_currency and not _parent_fixes_currency(model):
            found.append(_error(9, f"{model._meta.label}: {', '.join(amounts)} without a currency."))
    return found


def _parent_fixes_currency(model: type[models.Model]) -> bool:
    fields = model._meta.get_fields()
    parents = [
        field.related_model
        for field in fields
        if field.many_to_one and field.concrete and field.related_model
    ]
    return any(isinstance(field, CurrencyField) for parent in parents for field in parent._meta.get_fields())


@register
def every_portal_action_has_an_endpoint(**_: Any) -> list[Error]:
    """E010: a service that a portal action calls is called by an endpoint too, or is listed in docs/portal-only.md."""
    allowed = (settings.BASE_DIR / PORTAL_ONLY).read_text()
    found = []
    for config in apps.get_app_configs():
        if not config.name.startswith(OURS):
            continue
        by_people = _service_calls(config.name, ["admin", "pages", "dialogs"])
        by_partners = _service_calls(config.name, ["api"])
        found += [
            _error(
                10,
                f"{config.name}: the portal calls {call}, no endpoint does; add one or a line to {PORTAL_ONLY}.",
            )
            for call in sorted(by_people - by_partners)
            if f"`{call}`" not in allowed
        ]
    return found


@register
def every_portal_action_asks_first(**_: Any) -> list[Error]:
    """E011: what a person may do in an admin is a dialog of kit.dialogs: opened by GET, done by POST alone."""
    names = ("actions", "actions_list", "actions_row", "actions_detail", "actions_submit_line")
    found = []
    for model_admin in admin.site._registry.values():  # noqa: SLF001 (Django has no other list)
        kind = type(model_admin)
        if not kind.__module__.startswith(OURS):
            continue
        chosen = [name for name in names if getattr(model_admin, name, None)]
        if chosen:
            words = f"{kind.__name__}: {', '.join(chosen)} act without asking; use dialogs of kit.dialogs."
            found.append(_error(11, words))
        incomplete = [dialog for dialog in getattr(model_admin, "dialogs", ()) if not _is_whole(dialog)]
        found += [
            _error(11, f"{kind.__name__}: {dialog.__name__} needs a name, a label and a permission.")
            for dialog in incomplete
        ]
    return found


def _is_whole(dialog: type) -> bool:
    return all(getattr(dialog, name, "") for name in ("name", "label", "permission"))


def _service_calls(app: str, packages: list[str]) -> set[str]:
    """Return ``module.function`` for every call of a service in the named modules of an app, read from the source."""
    folder = settings.BASE_DIR / app.replace(".", "/")
    sources = [
        path
        for package in packages
        for path in [folder / f"{package}.py", *folder.glob(f"{package}/**/*.py")]
        if path.exists()
    ]
    texts = (path.read_text() for path in sources)
    return {call for text in texts if ".services" in text for call in _calls_in(ast.parse(text))}


def _calls_in(tree: ast.Module) -> set[str]:
    services: set[str] = set()
    called: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=function)):
                called.append((module, function))
            case ast.ImportFrom(module=str(package)) if package.endswith(".services"):
                services |= {alias.asname or alias.name for alias in node.names}
    return {f"{module}.{function}" for module, function in called if module in services}
