"""
The message catalogues of locale/: what the code says, in the languages of the portal.

Runs inside .venv, for it needs Babel and Django. GNU gettext is not needed. Texts of Unfold are collected too, because
Unfold brings no catalogue of its own.
"""

import ast
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import unfold
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "locale"
LANGUAGES = ("sw",)
UNFOLD_PARTS = ("filters", "forms")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
CALL = re.compile(r"""\b(?:n?p?gettext|_)\((?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*"|[^'"()])*\)""")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
DATED = tuple(
    f'"{name}'
    for name in (
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Generated-By",
        "Language-Team",
        "Report-",
    )
)
UNDATED = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "# What the portal says in another language. script/messages keeps it in step with the code."


@dataclass(frozen=True)
class Text:
    """One text of the code: the singular alone or with its plural, in a context or in none."""

    forms: tuple[str, ...]
    context: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        return self.forms[0], self.context

    @property
    def id(self) -> str | tuple[str, ...]:
        return self.forms[0] if len(self.forms) == 1 else self.forms


def texts() -> dict[tuple[str, str | None], Text]:
    """Return every text that is marked for translation; the plural form wins where one is told both ways."""
    found: dict[tuple[str, str | None], Text] = {}
    code = [*ROOT.glob("apps/**/*.py"), *ROOT.glob("treasury/**/*.py"), *_of_unfold("*.py")]
    pages = [*ROOT.glob("templates/**/*.html"), *_of_unfold("*.html")]
    for path in sorted(code):
        _add(found, _of_code(path))
    for path in sorted(pages):
        _add(found, _of_template(path))
    return found


def _of_unfold(pattern: str) -> list[Path]:
    """Return Unfold's files, of its optional parts only those that are installed."""
    package = Path(unfold.__file__).parent
    parts = {package / "contrib" / name for name in UNFOLD_PARTS}
    return [
        path
        for path in package.rglob(pattern)
        if package / "contrib" not in path.parents or parts & set(path.parents)
    ]


def _add(found: dict[tuple[str, str | None], Text], more: Iterator[Text]) -> None:
    for text in more:
        if text.forms[0].strip() and len(text.forms) >= len(found.get(text.key, Text(())).forms):
            found[text.key] = text


def _of_code(path: Path) -> Iterator[Text]:
    with path.open("rb") as source:
        for _line, message, _comments, context in extract("python", source, keywords=KEYWORDS):
            yield Text(message if isinstance(message, tuple) else (message,), context)


def _of_template(path: Path) -> Iterator[Text]:
    for call in CALL.findall(templatize(path.read_text(encoding="utf-8"), origin=str(path))):
        yield _read_call(call)


def _read_call(call: str) -> Text:
    tree = ast.parse(call, mode="eval").body
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise TypeError(f"{call} is no call")
    words = [a.value for a in tree.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    context = words.pop(0) if tree.func.id in {"pgettext", "npgettext"} else None
    return Text(tuple(words), context)


def update(language: str) -> Catalog:
    """Return the catalogue of a language with every text of the code, what was translated kept, the rest left out."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    present = Catalog(locale=language)
    if path.is_file():
        with path.open("rb") as source:
            present = read_po(source, locale=language)
    fresh = Catalog(
        locale=language, header_comment=HEADER, project="treasury", version="1", charset="utf-8", fuzzy=False
    )
    for key, text in sorted(texts().items(), key=lambda pair: (pair[0][0], pair[0][1] or "")):
        kept = present.get(*key)
        fresh.add(text.id, string=_kept_string(kept, text), context=text.context)
    return fresh


def _kept_string(kept: Message | None, text: Text) -> str | tuple[str, ...]:
    is_plural = len(text.forms) > 1
    nothing: str | tuple[str, ...] = ("", "") if is_plural else ""
    if kept is None or isinstance(kept.string, tuple) != is_plural:
        return nothing
    return kept.string


def faults(catalogue: Catalog) -> list[str]:
    """Return what is wrong with a catalogue: texts without a translation, and placeholders that were lost or changed."""
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(strings):
            wrong.append(f"not translated: {ids[0]!r}")
            continue
        wrong += [
            f"placeholders differ: {told!r}"
            for told, string in zip(ids, strings, strict=True)
            if set(PLACEHOLDER.findall(told)) != set(PLACEHOLDER.findall(string))
        ]
    return wrong


def po_bytes(catalogue: Catalog) -> bytes:
    """Return the text of a .po file: without dates, so that the same texts give the same bytes."""
    kept = io.BytesIO()
    write_po(kept, catalogue, width=110, omit_header=False, sort_output=True, no_location=True)
    lines = kept.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(DATED)).encode()


def mo_bytes(po: bytes, language: str) -> bytes:
    """Return the compiled form of a .po file: Babel writes dates into it, so always the same ones."""
    kept = io.BytesIO()
    catalogue = read_po(io.BytesIO(po), locale=language)
    catalogue.creation_date = catalogue.revision_date = UNDATED
    write_mo(kept, catalogue)
    return kept.getvalue()


def main(arguments: list[str]) -> int:
    """Write the catalogues, or with --check nothing; print what is missing and return 1 when something is."""
    settings.configure(USE_I18N=True)
    wrong: list[str] = []
    for language in LANGUAGES:
        catalogue = update(language)
        po = po_bytes(catalogue)
        folder = LOCALE / language / "LC_MESSAGES"
        files = {folder / "django.po": po, folder / "django.mo": mo_bytes(po, language)}
        wrong += [f"{language}: {fault}" for fault in faults(catalogue)]
        for path, content in files.items():
            is_same = path.is_file() and path.read_bytes() == content
            if "--check" in arguments:
                wrong += [] if is_same else [f"{path.relative_to(ROOT)} is not up to date"]
            elif not is_same:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    print("\n".join([*wrong, f"{len(wrong)} to mend" if wrong else "every text is translated"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
