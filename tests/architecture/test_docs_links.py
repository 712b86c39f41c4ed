"""Links between the pages of the documentation lead somewhere, and no file names one machine or one package registry."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PATH_IN_CODE = re.compile(r"`((?:apps|treasury|tests|script|docs|templates|requirements)/[\w./-]+)`")
LEFT_OUT = {".git", ".venv", "var", "staticfiles", "node_modules"}
BINARY = {".png", ".jpg", ".ico", ".woff2", ".woff", ".ttf", ".pdf", ".pyc", ".gz"}
# Spelt in two halves, so that this file does not find itself.
OF_ONE_MACHINE = re.compile(r"(?<![\w.])/" + r"(?:work|root|home/[a-z]+|Users/[A-Za-z]+)/")
REGISTRY = re.compile(
    "|".join(
        [
            r"pypi" + r"\.org",
            r"files\.pythonhosted" + r"\.org",
            r"registry\.npmjs" + r"\.org",
            r"--index" + "-url",
        ]
    )
)


def anchors(page: Path) -> set[str]:
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page: Path) -> list[str]:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    return [link for link in LINK.findall(text) if "://" not in link and not leads_somewhere(page, link)]


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def sources() -> list[Path]:
    """Every text file of the repository: hidden folders of tools and what is made are left out."""
    found = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        is_left_out = any(part in LEFT_OUT or part.endswith(("_cache", "__pycache__")) for part in parts)
        if not is_left_out and ".hypothesis" not in parts and path.is_file() and path.suffix not in BINARY:
            found.append(path)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_exist(page):
    named = PATH_IN_CODE.findall(page.read_text(encoding="utf-8"))

    assert [name for name in named if not (ROOT / name.rstrip("/.")).exists()] == []


def test_every_page_can_be_reached_from_the_index():
    reached, waiting = set(), [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8")))
        waiting += [
            target
            for link in links
            if link.endswith(".md")
            and "://" not in link
            and (target := (page.parent / link).resolve()).exists()
        ]

    assert {str(page.relative_to(ROOT)) for page in PAGES if page not in reached} == set()


def test_no_file_names_one_machine_or_registry():
    found = {
        str(path.relative_to(ROOT)): sorted({*OF_ONE_MACHINE.findall(text), *REGISTRY.findall(text)})
        for path in sources()
        if (text := path.read_text(encoding="utf-8", errors="replace"))
        and (OF_ONE_MACHINE.search(text) or REGISTRY.search(text))
    }

    assert found == {}
