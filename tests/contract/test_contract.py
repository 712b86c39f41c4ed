"""
The contract of every rail that collects: each scenario of the catalogue, over real HTTP against the rail's simulator.

A rail plays all scenarios of what it has, and is tried for what it says that it lacks. A new one adds its ``Words`` and
how its account is opened to ``RAILS``; no scenario is written again.
"""

from pathlib import Path

import pytest

from apps.integrations import ports
from apps.integrations.ports import CollectionPort, QrPort, RatePort, RefundPort
from apps.integrations.services import providers
from apps.ledger.services import verification
from apps.payments.models import PaymentIntent
from tests.contract import catalogue
from tests.contract.catalogue import PORTS, SCENARIOS, TRAITS, WAYS, Capability, Scenario
from tests.contract.played import PLAYED, RAILS, STORIES, TRIED
from tests.contract.rails import Rail

DOCS = Path(__file__).resolve().parents[2] / "docs"
pytestmark = pytest.mark.simulator_only

UNSETTLED = ("PROCESSING", "ACTION_REQUIRED")
LACKING = {each: "it has none" for each in Capability if each not in (Capability.COLLECT, Capability.REFUND)}


@pytest.mark.parametrize(("rail", "one"), PLAYED, indirect=["rail"], scope="module")
def test_holds(begun: Rail, one: Scenario) -> None:
    begun.hold(one.play)

    assert not PaymentIntent.objects.filter(status__in=UNSETTLED).exists()
    assert verification.verify().findings == ()


@pytest.mark.parametrize(("rail", "capability"), TRIED, indirect=["rail"], scope="module")
def test_is_as_declared(begun: Rail, capability: Capability) -> None:
    assert TRAITS[capability](begun) == (capability not in begun.words.lacks)


def test_every_provider_that_collects_has_a_rail_which_declares_what_it_lacks():
    collecting_ = {name for name, kept in providers.PORTS.items() if CollectionPort in kept}

    assert set(RAILS) == collecting_
    for provider, (words, _) in RAILS.items():
        assert catalogue.complaints(offered=providers.PORTS[provider], lacks=words.lacks) == []


@pytest.mark.parametrize(
    ("offered", "lacks", "said"),
    [
        ({CollectionPort, RefundPort}, LACKING, None),
        ({CollectionPort}, LACKING, "RefundPort is not kept, and nothing says why"),
        ({CollectionPort, RefundPort, QrPort}, LACKING, "declared as lacking, and QrPort is kept"),
        ({CollectionPort, RefundPort}, {**LACKING, Capability.QR: " "}, "no reason is given"),
        ({CollectionPort, RefundPort, RatePort}, LACKING, "the catalogue has no scenario"),
    ],
)
def test_a_rail_that_is_silent_about_a_capability_is_found(offered, lacks, said):
    found = catalogue.complaints(offered=offered, lacks=lacks)

    assert len(found) == (said is not None)
    assert all(said in one for one in found)


def test_every_capability_that_a_rail_has_has_scenarios_or_is_tried():
    assert {each for one in SCENARIOS.values() for each in one.needs} == set(PORTS) | WAYS
    assert set(TRAITS) == set(Capability) - set(PORTS) - WAYS


def test_every_rail_tells_of_payments_in_one_way():
    for words, _ in RAILS.values():
        assert (Capability.CALLBACK in words.lacks) != (Capability.WEBHOOK in words.lacks)


def test_every_port_of_an_account_is_a_capability():
    every = {name for name in ports.__all__ if name.endswith("Port")}

    assert {port.__name__ for port in PORTS.values()} == every - {"RatePort"}


def test_no_scenario_is_left_out_in_silence():
    for words, _ in RAILS.values():
        left_out = [one for one in SCENARIOS.values() if one not in catalogue.to_play(words.lacks)]
        assert all(words.lacks.keys() & one.needs for one in left_out)
    marked = [one.name for one in SCENARIOS.values() if getattr(one.play, "pytestmark", [])]
    assert marked == []
    assert all(one.play.__module__ in [story.__name__ for story in STORIES] for one in SCENARIOS.values())


def test_the_pages_tell_what_is_played():
    titles = {words.name: words.lacks for words, _ in RAILS.values()}
    pages = {"howto/add-a-provider.md": catalogue.table(titles)}
    pages |= {
        f"providers/{slug}.md": catalogue.declaration(words.lacks) for slug, (words, _) in RAILS.items()
    }

    for name, lines in pages.items():
        table = "\n".join(lines)
        assert table in (DOCS / name).read_text(), f"docs/{name} needs this table:\n{table}"
