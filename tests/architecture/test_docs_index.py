"""docs/index.md leads a stranger to any part of the code in three hops: the index, a page or folder that it names, the part."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.architecture.test_docs_links import LEFT_OUT, LINK

ROOT: Path = settings.BASE_DIR
INDEX = ROOT / "docs" / "index.md"
ENTRANCES = (INDEX, ROOT / "README.md")
MADE = {"htmlcov", "build"}
HOPS = 3


def said() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in ENTRANCES)


def is_said(name: str) -> bool:
    """Say whether a path is named whole: as code, as the target of a link, or before the name of something in it."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", said()) is not None


def top_level_folders() -> list[str]:
    hidden = {".ci", ".github"}
    found = {path.name for path in ROOT.iterdir() if path.is_dir()} - LEFT_OUT - MADE
    return sorted(name for name in found if not name.startswith(".") or name in hidden)


def apps() -> list[str]:
    return sorted(f"apps/{path.parent.name}" for path in (ROOT / "apps").glob("*/__init__.py"))


def commands() -> list[str]:
    return sorted(f"script/{path.name}" for path in (ROOT / "script").iterdir() if path.is_file())


def pages() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def linked_from(page: Path) -> set[Path]:
    links = (link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8")))
    targets = {(page.parent / link).resolve() for link in links if link.endswith(".md") and "://" not in link}
    return {target for target in targets if target.exists()}


@pytest.mark.parametrize("name", [*top_level_folders(), *apps(), *commands()])
def test_names_every_folder_app_and_command(name):
    assert is_said(name)


def test_a_page_is_two_links_away_at_most():
    reached = set(ENTRANCES)
    for _ in range(HOPS - 1):
        reached |= {target for page in reached for target in linked_from(page)}

    assert {str(page.relative_to(ROOT)) for page in pages()} - {
        str(page.relative_to(ROOT)) for page in reached
    } == set()


def test_decisions_runbooks_howtos_and_providers_are_linked_from_the_index_itself():
    linked = linked_from(INDEX)
    wanted = {
        page
        for folder in ("adr", "runbooks", "howto", "providers")
        for page in (ROOT / "docs" / folder).glob("*.md")
    }

    assert {page.name for page in wanted - linked} == set()
