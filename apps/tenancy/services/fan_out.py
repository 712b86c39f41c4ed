"""Start one job in each organisation: how a task of the platform reaches them."""

from typing import Any

from celery import current_app

from apps.tenancy.selectors import organisations


def each_working(task_name: str, *, queue: str | None = None, **arguments: Any) -> int:
    """Send ``task_name`` once to every organisation that works, suspended ones included, and return how many; unknown names raise KeyError."""
    task = current_app.tasks[task_name]
    schemas = list(organisations.working().values_list("schema_name", flat=True))
    for schema in schemas:
        options = {"queue": queue} if queue else {}
        task.apply_async(kwargs=arguments, headers={"_schema_name": schema}, **options)
    return len(schemas)
