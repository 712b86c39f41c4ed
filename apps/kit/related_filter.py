"""The filter of a list by what its rows point to: it offers what the person may see of that, and nothing else."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest


class VisibleRelatedFilter(admin.RelatedFieldListFilter):
    """Django's filter by a foreign key, with the rows that the reader sees in their own list: Django's offers all there are."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: ModelAdmin) -> Any:
        shown = model_admin.admin_site.get_model_admin(field.related_model).get_queryset(request)
        return sorted(((row.pk, str(row)) for row in shown), key=lambda choice: choice[1])
