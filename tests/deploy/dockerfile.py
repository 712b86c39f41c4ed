"""Reads a Dockerfile into its instructions, and tells what .dockerignore lets through."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

ROOT = settings.BASE_DIR


@dataclass(frozen=True)
class Instruction:
    """One instruction on one line, without its comments, and the stage that it belongs to."""

    stage: str
    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments: a JSON list or words, flags left out."""
        if self.text.startswith("["):
            return list(json.loads(self.text))
        return [word for word in self.text.split() if not word.startswith("--")]

    @property
    def flags(self) -> dict[str, str]:
        """The options at the beginning, as --from=builder."""
        return dict(re.findall(r"(?:^|\s)--([a-z-]+)=(\S+)", self.text))


def instructions(path: Path = ROOT / "Dockerfile") -> list[Instruction]:
    lines = [
        line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found, stage = [], ""
    for line in joined.splitlines():
        word, _, text = line.partition(" ")
        if word == "FROM":
            stage = text.partition(" AS ")[2]
        found.append(Instruction(stage, word, text.strip()))
    return found


def of_stage(stage: str, *words: str) -> list[Instruction]:
    return [one for one in instructions() if one.stage == stage and (not words or one.word in words)]


def context(root: Path = ROOT) -> list[Path]:
    """Return the files that the build may copy, relative to the checkout."""
    patterns = [
        line.strip()
        for line in (root / ".dockerignore").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    return sorted(_allowed(root, patterns))


def _allowed(root: Path, patterns: list[str]) -> Iterator[Path]:
    kept = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if _leads_to(here / name, kept)]
        yield from (here / name for name in names if not _is_ignored(here / name, patterns))


def _leads_to(folder: Path, kept: list[str]) -> bool:
    """Say whether a folder is let through, or holds what is."""
    return any(Path(one).is_relative_to(folder) or folder.is_relative_to(one) for one in kept)


def _is_ignored(path: Path, patterns: list[str]) -> bool:
    """The last pattern that fits a file or a folder above it decides."""
    is_ignored = False
    for pattern in patterns:
        if _fits(path, pattern.removeprefix("!")):
            is_ignored = not pattern.startswith("!")
    return is_ignored


def _fits(path: Path, pattern: str) -> bool:
    words = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return any(re.fullmatch(words, str(one)) for one in (path, *path.parents) if str(one) != ".")
