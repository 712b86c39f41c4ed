"""
The rails that the contracts are tried on: each a provider over real HTTP.

Without more they are simulators of the test run, with scripted faults. Under script/certify the target is what the
environment names, and what needs a fault is not certified, for no sandbox makes one to order.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import connection, connections

from apps.integrations.contracts import MPESA
from apps.integrations.mpesa.provider import MpesaCredentials
from apps.kit import jobs
from apps.tenancy.models import Organisation
from script.devkit.certificates import FAIL, NOT_CERTIFIED, PASS
from script.devkit.certifying import MARK, TARGET
from tests import conftest
from tests.callbacks import Arrived, listening
from tests.contract import targets
from tests.contract.played import RAILS
from tests.contract.rails import Rail, settings_of
from tests.contract.targets import MpesaTarget
from tests.factories import payments
from tests.loopback import NO_TLS
from tests.payments.conftest import street

__all__ = ["street"]

SIMULATED_SHORT_CODE = "600977"
PAYS_AT_ONCE = "+254700000000"
FAULTS_ARE_SIMULATED = "needs a fault that only the simulator makes to order"
PATIENCE = {True: 120.0, False: 10.0}
"""Seconds: with a person at a phone, and without."""


class Scenarios:
    """Tells script/certify, line by line, how each scenario ended."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """Show no letter of progress: it would stand before the line of a scenario."""
        return ("" if report.when != "call" and report.passed else report.outcome), "", ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        told = {"passed": PASS, "failed": FAIL, "skipped": NOT_CERTIFIED}
        fact = {
            "scenario": _title(report.nodeid),
            "result": told[report.outcome],
            "seconds": round(report.duration, 2),
            "reason": _reason(report),
        }
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        terminal.write_line(f"{MARK}{json.dumps(fact)}")


def _title(nodeid: str) -> str:
    path, _, name = nodeid.partition("::")
    noun = path.rpartition("/test_")[2].removesuffix(".py")
    return f"{noun}: {name.removeprefix('test_').replace('_', ' ')}"


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash: Any = getattr(report.longrepr, "reprcrash", None)
    return crash.message.splitlines()[0] if crash else ""


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get(TARGET):
        config.pluginmanager.register(Scenarios(config))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get(TARGET):
        for item in items:
            if item.get_closest_marker("simulator_only"):
                item.add_marker(pytest.mark.skip(reason=FAULTS_ARE_SIMULATED))


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Iterator[MpesaTarget]:
    """M-Pesa as script/certify names it, else the simulator of the test run."""
    if targets.is_named(MPESA):
        yield from _named()
    else:
        yield _simulated(request.getfixturevalue("street"))


def _named() -> Iterator[MpesaTarget]:
    given = targets.given(MPESA)
    arrived: list[Arrived] = []
    with listening(arrived, port=int(given.get("callback_port") or 0)) as address:
        yield MpesaTarget(
            base_url=given["base_url"],
            callback_url=given.get("callback_url", "").rstrip("/") or address,
            short_code=given["short_code"],
            phone=given["phone"],
            pull_number=given["pull_number"],
            certificate=given["certificate"],
            credentials=MpesaCredentials(
                given["consumer_key"],
                given["consumer_secret"],
                given["passkey"],
                given["initiator"],
                given["initiator_password"],
            ),
            arrived=arrived,
            patience=PATIENCE["callback_url" in given],
        )


def _simulated(street: Any) -> MpesaTarget:
    """Open a paybill of its own at the simulator, whose time is moved on instead of waited for."""
    url, credentials = street.simulator.url, payments.CREDENTIALS
    opened = {
        "type": "paybill",
        "name": "Savanna Kitchens Ltd",
        "consumer_key": credentials.consumer_key,
        "consumer_secret": credentials.consumer_secret,
        "passkey": credentials.passkey,
        "initiator": credentials.initiator,
        "initiator_password": credentials.initiator_password,
    }
    targets.control(url, "POST", "/reset", {"accounts": True})
    targets.control(url, "PUT", f"/accounts/{SIMULATED_SHORT_CODE}", opened)
    return MpesaTarget(
        base_url=f"{url}/daraja",
        callback_url=street.callback_url,
        short_code=SIMULATED_SHORT_CODE,
        phone=PAYS_AT_ONCE,
        pull_number="0722000000",
        certificate=street.certificate,
        credentials=credentials,
        arrived=street.arrived,
        patience=PATIENCE[False],
        hurry=lambda seconds: targets.control(url, "POST", "/tick", {"seconds": seconds}),
    )


@pytest.fixture(scope="module")
def rail(request, street, django_db_setup, django_db_blocker) -> Iterator[Rail]:
    """Open a rail's account for all its scenarios, in an organisation that is emptied afterwards."""
    _, opened = RAILS[request.param]
    simulator = httpx.Client(base_url=street.simulator.url, trust_env=False, timeout=30, verify=NO_TLS)
    with django_db_blocker.unblock(), simulator, jobs.held() as asked_for:
        organisation = Organisation.objects.get(slug="acme")
        connection.set_tenant(organisation)
        with settings_of(simulator):
            yield opened(simulator, organisation, street.certificate, asked_for)
        simulator.post("/__control/reset", json={"accounts": True})
        connections.close_all()
        conftest.truncate()


@pytest.fixture
def begun(rail: Rail) -> Rail:
    connection.set_tenant(rail.organisation)
    rail.begin()
    return rail
