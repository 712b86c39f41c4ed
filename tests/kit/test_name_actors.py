"""Name actors: several of them in one text, each of them whole."""

from uuid import UUID

import pytest

from apps.kit import actors
from apps.kit.actors import SYSTEM

AMINA, BARAKA, CHEBET = (str(actors.person(UUID(int=number))) for number in range(3))


def test_as_many_as_fit_are_written_whole():
    text = actors.joined([AMINA, BARAKA, CHEBET], longest=120)

    assert text == f"{AMINA}, {BARAKA}"
    assert actors.are_written(text)
    assert actors.joined([], longest=120) == ""


@pytest.mark.parametrize(
    "text", ["", str(SYSTEM), AMINA, f"{AMINA}, {BARAKA}", str(actors.operator("Njeri Kamau"))]
)
def test_actors_are_known_by_how_they_are_written(text):
    assert actors.are_written(text)


@pytest.mark.parametrize(
    "text", ["Amina", "user:amina", AMINA[:-1], f"{AMINA},{BARAKA}", f"{AMINA}, ", "boss:x"]
)
def test_what_is_no_actor_is_told(text):
    assert not actors.are_written(text)
