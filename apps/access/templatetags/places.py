"""What the frame offers a person: his branches and his other organisations."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django import template
from django.template import Context

from apps.access.models import Branch
from apps.access.selectors import branches
from apps.kit import schema
from apps.tenancy.selectors import organisations

register = template.Library()


@dataclass(frozen=True, slots=True)
class Places:
    """Where a person can go: what he may choose from, and what he has chosen."""

    branches: Sequence[Branch] = ()
    elsewhere: Sequence[organisations.Organisation] = ()
    branch_id: UUID | None = None
    is_whole: bool = True
    """Whether he works for all branches, so that "all" means the organisation's."""

    @property
    def is_choice(self) -> bool:
        return len(self.branches) > 1 or bool(self.elsewhere)


@register.simple_tag(takes_context=True)
def places(context: Context) -> Places:
    """Return the places of the person who is signed in; none at the platform's site and before sign-in."""
    user = context["request"].user
    if schema.name() == schema.PUBLIC or not user.is_authenticated:
        return Places()
    mine = branches.choice_of(user)
    others = organisations.of_user(user.pk).exclude(id=organisations.current().id)
    return Places(mine.branches, list(others), mine.chosen_id, mine.is_whole)
