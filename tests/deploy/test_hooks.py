"""The hooks before a commit: local ones, which run the checks of script/lint and fetch nothing."""

import shlex
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from script.devkit import checks

ROOT = settings.BASE_DIR
CONFIGURATION: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS = [hook for repository in CONFIGURATION["repos"] for hook in repository["hooks"]]


def test_names_no_repository_but_this_one():
    assert {repository["repo"] for repository in CONFIGURATION["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS} == {"system"}


def test_runs_the_checks_of_script_lint():
    checked = {
        (Path(check.command[0]).name, check.command[1]) for check in checks.CHECKS if check.command[1:]
    }
    started = [shlex.split(hook["entry"]) for hook in HOOKS if hook["entry"] != "script/lint"]

    assert {Path(program).parent for program, *_ in started} == {Path(".venv/bin")}
    assert [command for command in started if (Path(command[0]).name, command[1]) not in checked] == []


def test_checks_everything_before_a_push():
    (hook,) = [hook for hook in HOOKS if hook.get("stages") == ["pre-push"]]

    assert (hook["entry"], hook["always_run"], hook["pass_filenames"]) == ("script/lint", True, False)
