"""One table more."""

from django.db import models


class OneMore(models.Model):
    """A row that nobody writes."""

    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name
