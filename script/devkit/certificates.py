"""The dated report of a certification: which scenario held, against what, and with which code."""

import json
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from script.devkit.folders import ROOT, SHARED_VAR, make_folder

SIMULATOR, SANDBOX = "simulator", "sandbox"
PASS, FAIL, NOT_CERTIFIED = "pass", "fail", "not certified"
FOLDERS = {SIMULATOR: SHARED_VAR / "certify", SANDBOX: ROOT / "docs" / "proof-reports"}
"""A sandbox's reports are kept with the code; those of a simulator prove nothing that the tests do not."""


@dataclass(frozen=True)
class Scenario:
    """One scenario of the contract, and how it ended; the reason is empty where it passed."""

    scenario: str
    result: str
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """What one run found out. `target` says simulator for every address on this machine."""

    provider: str
    title: str
    target: str
    address: str
    at: datetime
    version: str
    commit: str
    scenarios: tuple[Scenario, ...]

    @property
    def is_green(self) -> bool:
        """Whether at least one scenario was tried and none failed."""
        results = {scenario.result for scenario in self.scenarios}
        return PASS in results and FAIL not in results

    def counts(self) -> str:
        found = [scenario.result for scenario in self.scenarios]
        return ", ".join(f"{found.count(result)} {result}" for result in (PASS, FAIL, NOT_CERTIFIED))

    def write(self, folder: Path) -> Path:
        """Write the report as JSON and as Markdown, and return the path of the second."""
        make_folder(folder)
        name = f"{self.provider}-{self.target}-{self.at:%Y-%m-%d-%H%M%S}"
        facts = {**asdict(self), "at": self.at.isoformat()}
        (folder / f"{name}.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        page = folder / f"{name}.md"
        page.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")
        return page

    def _lines(self) -> list[str]:
        return [
            f"# {self.title}: {self.target}, {self.at:%Y-%m-%d}",
            "",
            f"The contract suite ran against the {self.target} at {self.address}, {self.at:%Y-%m-%d %H:%M} UTC,",
            f"with version {self.version}, commit {self.commit}: {self.counts()}.",
            "",
            "| scenario | result | seconds | why |",
            "|---|---|---|---|",
            *(
                f"| {found.scenario} | {found.result} | {found.seconds:.1f} | {_cell(found.reason)} |"
                for found in self.scenarios
            ),
        ]


def version() -> str:
    """The version that pyproject.toml names."""
    found = re.search(
        r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    return found[1] if found else "unknown"


def commit() -> str:
    """The commit of this checkout, and whether it was changed since; unknown outside a repository."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    head, changes = (
        subprocess.run([git, *arguments], check=False, capture_output=True, text=True, cwd=ROOT)
        for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain"])
    )
    if head.returncode:
        return "unknown"
    return head.stdout.strip() + (" with changes" if changes.stdout.strip() else "")


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
