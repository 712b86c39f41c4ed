"""Celery with the organisation in the message headers: a task without one is refused, never run in public."""

import os
from typing import Any

from celery.signals import setup_logging, task_prerun
from structlog.contextvars import bind_contextvars, clear_contextvars
from tenant_schemas_celery.app import CeleryApp, get_schema_name_from_task
from tenant_schemas_celery.task import TenantTask as BaseTenantTask

from apps.kit import schema as present_schema
from treasury import heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "treasury.settings.local")
PUBLIC = "public"


class NoOrganisation(RuntimeError):
    """A message names no organisation, an unknown one, or the wrong kind of schema for its task."""


class TenantTask(BaseTenantTask):
    """A task of one organisation (the default), or with ``scope="public"`` one of the platform."""

    abstract = True
    scope = "tenant"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        schema = get_schema_name_from_task(self, kwargs)
        if self.request.called_directly:
            schema = present_schema.name()
        if self.scope == "tenant" and schema in (None, "", PUBLIC):
            raise NoOrganisation(f"{self.name}: the message names no organisation")
        if self.scope == PUBLIC and schema not in (None, PUBLIC):
            raise NoOrganisation(f"{self.name} is a task of the platform, the message names {schema}")
        if present_schema.name() != (schema or PUBLIC):
            raise NoOrganisation(
                f"{self.name}: connection is in {present_schema.name()}, the message names {schema}"
            )
        return super().__call__(*args, **kwargs)

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        """Send with the organisation of ``_schema_name`` in ``headers``, else the present one."""
        headers = options.get("headers") or {}
        schema = headers.get("_schema_name", present_schema.name())
        if self.scope == "tenant" and schema == PUBLIC:
            raise NoOrganisation(f"{self.name}: started outside any organisation")
        options["headers"] = {**headers, "_schema_name": schema if self.scope == "tenant" else PUBLIC}
        return super().apply_async(args, kwargs, **options)


app = CeleryApp("treasury", task_cls="treasury.celery:TenantTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
heartbeat.connect()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Leave logging to Django's settings: Celery would put its own handlers in place."""


@task_prerun.connect
def name_the_task(task_id: str, task: Any, **_: Any) -> None:
    """Put the task and its organisation on every line that it logs."""
    clear_contextvars()
    bind_contextvars(task=task.name, task_id=task_id, organisation=present_schema.label())
