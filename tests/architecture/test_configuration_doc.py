"""docs/configuration.md lists every environment variable that is read, with its default and meaning."""

import re

from django.conf import settings

from treasury.settings import env

ROOT = settings.BASE_DIR
TEXT = (ROOT / "docs" / "configuration.md").read_text()
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$", re.MULTILINE)
NAME = re.compile(r"\b(?:TREASURY_[A-Z][A-Z_]*[A-Z]|DB_ROLE)\b")
READ = re.compile(r"""(?:environ(?:\.get\(|\[)|getenv\()\s*["'](TREASURY_[A-Z_]+|DB_ROLE)["']""")
PREFIX = "TREASURY_POSTGRES_{"


def rows() -> dict[str, tuple[str, str]]:
    return {name: (default, meaning) for name, default, meaning in ROW.findall(TEXT)}


def shown(default: str | None) -> str:
    if default is None:
        return "must be set"
    relative = default.replace(f"{ROOT}/", "")
    return f"`{relative}`" if relative else ""


def test_lists_each_variable_with_default_and_meaning():
    expected = {v.name: (shown(v.default), v.meaning) for v in env.VARIABLES.values()}

    assert {name: row for name, row in rows().items() if name in expected} == expected


def test_lists_what_the_commands_in_script_read():
    sources = [path for path in (ROOT / "script").rglob("*") if path.is_file() and path.suffix in {"", ".py"}]
    read = {name for path in sources for name in NAME.findall(path.read_text(encoding="utf-8"))}

    assert read - set(rows()) == set()


def test_names_nothing_that_nobody_reads():
    sources = [
        *(ROOT / "script").rglob("*"),
        *(ROOT / "treasury").rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
    ]
    read = {
        name
        for path in sources
        if path.is_file() and path.suffix in {"", ".py"}
        for name in NAME.findall(path.read_text(encoding="utf-8"))
    }

    assert set(NAME.findall(TEXT)) - read == set()


def test_only_env_reads_the_environment():
    """Nothing in the product reads a variable past treasury/settings/env.py, where it would have no meaning beside it."""
    sources = [*(ROOT / "apps").rglob("*.py"), *(ROOT / "treasury").rglob("*.py")]
    past = {
        str(path.relative_to(ROOT)): READ.findall(text)
        for path in sources
        if (text := path.read_text(encoding="utf-8")) and READ.findall(text)
    }

    assert past == {}
