"""The contracts of providers; what fails in a scenario is told as in a test."""

import pytest

STORIES = ("answering", "arriving", "asking", "collecting", "disputing", "keeping", "rails", "returning")

pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in STORIES))
