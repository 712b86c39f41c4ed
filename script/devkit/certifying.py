"""
script/certify: tries the contract of a provider on its real sandbox, and writes a dated report.

The credentials come by environment variables and stay in memory: they are neither printed nor written down. Real
people are asked for real sandbox money: have the phone at hand. An address on this machine is taken for a simulator,
and its report says so. The code is 1 when a scenario failed.
"""

import argparse
import ipaddress
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from script.devkit import certificates, environment, system
from script.devkit.certificates import FAIL, SANDBOX, SIMULATOR, Report, Scenario
from script.devkit.folders import PYTHON, ROOT
from script.devkit.refusals import Refusal
from script.devkit.steps import say
from script.devkit.throwaway import prepare, throw_away_servers

TARGET = "TREASURY_CERTIFY"
"""Tells the contract suite which provider was named; without it the suite runs on simulators of its own."""

MARK = "certify: "
"""Starts the lines of the test run that tell how a scenario ended, as JSON."""

COMPLETE = (0, 1)
HIDDEN = "[hidden]"


@dataclass(frozen=True)
class Wanted:
    """One variable that a run reads; some are of no use at a simulator on this machine, and some are no secret."""

    name: str
    meaning: str
    is_secret: bool = True
    is_for_sandbox: bool = False


@dataclass(frozen=True)
class Provider:
    """What is needed to certify one provider. `sandbox` is the only address that is spoken to outside this machine."""

    title: str
    sandbox: str
    suite: tuple[str, ...]
    address: str
    wanted: tuple[Wanted, ...]
    advice: str


PROVIDERS = {
    "mpesa": Provider(
        title="M-Pesa (Daraja)",
        sandbox="https://sandbox.safaricom.co.ke",
        suite=(
            "tests/contract/test_mpesa.py",
            "tests/contract/test_mpesa_unasked.py",
            "tests/contract/test_contract.py",
        ),
        address="TREASURY_CERTIFY_MPESA_BASE_URL",
        wanted=(
            Wanted("TREASURY_CERTIFY_MPESA_BASE_URL", "address of Daraja", is_secret=False),
            Wanted("TREASURY_CERTIFY_MPESA_CONSUMER_KEY", "consumer key of the app"),
            Wanted("TREASURY_CERTIFY_MPESA_CONSUMER_SECRET", "its secret"),
            Wanted("TREASURY_CERTIFY_MPESA_SHORT_CODE", "paybill number", is_secret=False),
            Wanted("TREASURY_CERTIFY_MPESA_PASSKEY", "its passkey"),
            Wanted("TREASURY_CERTIFY_MPESA_INITIATOR", "user that reverses and asks"),
            Wanted("TREASURY_CERTIFY_MPESA_INITIATOR_PASSWORD", "its password"),
            Wanted(
                "TREASURY_CERTIFY_MPESA_CERTIFICATE", "text of Daraja's certificate, PEM", is_secret=False
            ),
            Wanted("TREASURY_CERTIFY_MPESA_PHONE", "phone that pays, +2547…"),
            Wanted("TREASURY_CERTIFY_MPESA_PULL_NUMBER", "number nominated for pulls, 07…"),
            Wanted(
                "TREASURY_CERTIFY_MPESA_CALLBACK_URL",
                "public address that leads to the port on this machine",
                is_secret=False,
                is_for_sandbox=True,
            ),
            Wanted(
                "TREASURY_CERTIFY_MPESA_CALLBACK_PORT",
                "port on this machine where callbacks are taken",
                is_secret=False,
                is_for_sandbox=True,
            ),
        ),
        advice="The phone is asked for one shilling: approve it within two minutes. It is given back at the end.",
    )
}


def main(arguments: list[str]) -> int:
    """Certify one provider; 0 when every scenario that was tried held."""
    parser = argparse.ArgumentParser(
        prog="script/certify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help=f"the provider: {', '.join(PROVIDERS)}")
    parser.add_argument("--reports", type=Path, help="folder for the report, in place of its usual one")
    asked = parser.parse_args(arguments)
    provider = PROVIDERS.get(asked.name)
    if provider is None:
        raise Refusal(f"{asked.name} is not known. Known: {', '.join(PROVIDERS)}.")
    target = target_of(provider, os.environ)
    prepare()
    began = datetime.now(UTC)  # noqa: TID251 (a command is an interface)
    say(f"\n  {provider.title}, {target} at {os.environ[provider.address]}\n")
    if target == SANDBOX:
        say(f"  {provider.advice}\n")
    scenarios = _run(asked.name, provider, target)
    report = Report(
        provider=asked.name,
        title=provider.title,
        target=target,
        address=os.environ[provider.address],
        at=began,
        version=certificates.version(),
        commit=certificates.commit(),
        scenarios=tuple(scenarios),
    )
    page = report.write(asked.reports or certificates.FOLDERS[target])
    say(f"\n  {report.counts()}\n  Report: {page}")
    return 0 if report.is_green else 1


def target_of(provider: Provider, variables: Mapping[str, str]) -> str:
    """Say whether the address is a simulator's or the sandbox's; refuse others, and name every variable that is missing."""
    address = variables.get(provider.address, "")
    is_simulator = _is_on_this_machine(address)
    missing = [
        wanted
        for wanted in provider.wanted
        if not variables.get(wanted.name) and not (is_simulator and wanted.is_for_sandbox)
    ]
    if missing:
        names = ", ".join(wanted.name for wanted in missing)
        raise Refusal(
            f"certifying needs credentials of the sandbox, and these variables are not set: {names}.",
            mend="\n".join(f"export {wanted.name}=…    # {wanted.meaning}" for wanted in missing),
        )
    if not is_simulator and address != provider.sandbox:
        raise Refusal(
            f"{address} is neither on this machine nor the sandbox. Money is moved, so production is never certified.",
            mend=f"export {provider.address}={provider.sandbox}",
        )
    return SIMULATOR if is_simulator else SANDBOX


def _is_on_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _run(name: str, provider: Provider, target: str) -> list[Scenario]:
    """Run the contract suite; show each scenario as it ends, and what the run wrote where one failed."""
    found: dict[str, Scenario] = {}
    written = []
    with throw_away_servers() as (_, own):
        variables = {**environment.base(), **own, TARGET: name}
        command = [str(PYTHON), "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", *provider.suite]
        if target == SANDBOX:
            command.append("--force-enable-socket")
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=system.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread only)
        ) as running:
            assert running.stdout is not None, "its output is a pipe"
            for line in map(str.rstrip, running.stdout):
                if not line.startswith(MARK):
                    written.append(_hide(line, provider))
                    continue
                told = json.loads(line.removeprefix(MARK))
                scenario = Scenario(**{**told, "reason": _hide(told.get("reason", ""), provider)})
                found[scenario.scenario] = scenario
                say(f"  {scenario.result:<14} {scenario.scenario}")
    if running.returncode not in COMPLETE or not found:
        raise Refusal("the contract suite did not run to its end:\n" + "\n".join(written))
    if any(scenario.result == FAIL for scenario in found.values()):
        say("\n" + "\n".join(written))
    return list(found.values())


def _hide(text: str, provider: Provider) -> str:
    """Return a text with [hidden] in place of every secret, also where it stands escaped, and of the phone without its plus."""
    secrets = [os.environ[wanted.name] for wanted in provider.wanted if wanted.is_secret]
    forms = {
        form for one in secrets for form in (one, one.lstrip("+"), json.dumps(one)[1:-1], repr(one)[1:-1])
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text
