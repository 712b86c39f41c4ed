"""The import contracts hold, cover every app, and find a planted breach."""

import configparser
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from django.conf import settings

from tests.architecture.contracts import FrontDoorContract, OnlyContract

ROOT = settings.BASE_DIR
APART = {"simulator"}
WITHOUT_THE_COMMON_SHAPE = {"kit", "simulator", "integrations"}


def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    return parser


def named(contract: str, option: str) -> set[str]:
    lines = contracts()[f"importlinter:contract:{contract}"][option].split()
    return {line.strip("()").removeprefix("apps.") for line in lines if line.startswith(("apps.", "(apps."))}


def apps_on_disk() -> set[str]:
    return {path.parent.name for path in (ROOT / "apps").glob("*/apps.py")}


def test_every_contract_is_kept():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_app_has_its_place_in_the_order():
    assert named("apps-point-down", "layers") == apps_on_disk() - APART


def test_every_app_has_its_order_inside():
    assert named("inside-each-app", "containers") == apps_on_disk() - WITHOUT_THE_COMMON_SHAPE


def test_nobody_may_import_the_simulator():
    assert named("simulator-apart", "source_modules") == apps_on_disk() - APART - {"kit"}
    assert named("simulator-imports-kit-only", "forbidden_modules") == apps_on_disk() - APART - {"kit"}


def front_door(*imports: tuple[str, str]) -> list[tuple[str, str]]:
    graph = grimp.ImportGraph()
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    options = {"root": "apps", "doors": ["services", "selectors", "contracts"], "shared": ["kit"]}
    contract = FrontDoorContract(name="front door", session_options={}, contract_options=options)
    return contract.check(graph, verbose=False).metadata["breaches"]


@pytest.mark.parametrize(
    "imported",
    [
        "apps.payments.models",
        "apps.payments.models.intent",
        "apps.payments.tasks",
        "apps.payments.postings",
        "apps.payments",
    ],
)
def test_front_door_finds_who_reaches_past_it(imported):
    reach = ("apps.invoicing.services.receipts", imported)

    assert front_door(reach) == [reach]


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("apps.invoicing.services.receipts", "apps.payments.selectors.intents"),
        ("apps.invoicing.services.receipts", "apps.payments.contracts"),
        ("apps.invoicing.services.receipts", "apps.invoicing.models.document"),
        ("apps.invoicing.services.receipts", "apps.kit.money"),
        ("treasury.demo", "apps.access.models"),
        ("apps.invoicing.services.receipts", "django.db"),
    ],
)
def test_front_door_lets_in_who_uses_it(importer, imported):
    assert front_door((importer, imported)) == []


def demo_contract(*imports: tuple[str, str]) -> list[tuple[str, str]]:
    graph = grimp.ImportGraph()
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    written = contracts()["importlinter:contract:demo-calls-services"]
    options = {name: written[name].split() for name in ("ours", "allowed", "never")}
    contract = OnlyContract(
        name="demo", session_options={}, contract_options={**options, "source": written["source"]}
    )
    return contract.check(graph, verbose=False).metadata["breaches"]


@pytest.mark.parametrize(
    "imported",
    [
        "apps.payments.models",
        "apps.payments.models.intent",
        "apps.payments.tasks",
        "apps.payments",
        "apps.simulator.services.clock",
        "apps.simulator.server",
        "apps.integrations.ports",
        "treasury.wiring",
    ],
)
def test_the_demo_may_not_import(imported):
    reach = ("treasury.demo.play", imported)

    assert demo_contract(reach) == [reach]


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("treasury.demo.play", "apps.payments.services.intents"),
        ("treasury.demo.play", "apps.payments.contracts"),
        ("treasury.demo.books", "apps.ledger.selectors.balances"),
        ("treasury.demo.play", "apps.kit.jobs"),
        ("treasury.demo.play", "treasury.demo.control"),
        ("treasury.demo.organisation", "treasury.onboarding"),
        ("treasury.demo.organisation", "django.db"),
        ("treasury.onboarding", "apps.access.models"),
    ],
)
def test_the_demo_may_import(importer, imported):
    assert demo_contract((importer, imported)) == []
