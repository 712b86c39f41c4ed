"""script/certify: what it refuses, and a whole run against a simulator that is a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from script.devkit import certificates, certifying, ports
from script.devkit.refusals import Refusal
from tests.loopback import NO_TLS

ROOT = Path(__file__).resolve().parents[2]
MPESA = certifying.PROVIDERS["mpesa"]
NAMES = [wanted.name for wanted in MPESA.wanted]
BASE_URL = "TREASURY_CERTIFY_MPESA_BASE_URL"
ACCOUNT = {
    "type": "paybill",
    "name": "Savanna Kitchens Ltd",
    "consumer_key": "key-to-be-hidden",
    "consumer_secret": "secret-to-be-hidden",
    "passkey": "passkey-to-be-hidden",
    "initiator": "initiator-to-be-hidden",
    "initiator_password": 'pa"ss\\é-to-be-hidden',
}


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[str]:
    """Start the simulator as a process, open a paybill at it, and give its address."""
    port = ports.choose(taken=set())
    command = [sys.executable, "-m", "django", "runsimulator", "--port", str(port)]
    store = ["--store", str(tmp_path / "simulator.sqlite3")]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "treasury.settings.simulator"}
    with subprocess.Popen(
        [*command, *store], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert "Simulator:" in process.stdout.readline()
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, trust_env=False, verify=NO_TLS) as client:
                assert client.put("/__control/accounts/600988", json=ACCOUNT).status_code == 200
            yield url
        finally:
            process.kill()


@pytest.fixture
def certify(simulator: str, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    with httpx.Client(base_url=simulator, trust_env=False, verify=NO_TLS) as client:
        certificate = client.get("/__control/certificate").text
    given = {f"TREASURY_CERTIFY_MPESA_{name.upper()}": value for name, value in ACCOUNT.items()}
    given |= {
        BASE_URL: f"{simulator}/daraja",
        "TREASURY_CERTIFY_MPESA_SHORT_CODE": "600988",
        "TREASURY_CERTIFY_MPESA_CERTIFICATE": certificate,
        "TREASURY_CERTIFY_MPESA_PHONE": "+254700000000",
        "TREASURY_CERTIFY_MPESA_PULL_NUMBER": "0722000000",
    }

    others = {name: value for name, value in os.environ.items() if not name.startswith("TREASURY_CERTIFY")}

    def run(**changes: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [ROOT / "script" / "certify", "mpesa", "--reports", tmp_path / "reports"],
            env={**others, **given, **changes},
            check=False,
            capture_output=True,
            text=True,
        )

    return run


def report_of(folder: Path) -> tuple[dict[str, Any], str]:
    (page,) = folder.glob("*.md")
    return json.loads(page.with_suffix(".json").read_text()), page.read_text()


def results(report: dict[str, Any], result: str) -> list[str]:
    return [found["scenario"] for found in report["scenarios"] if found["result"] == result]


def test_names_each_variable_that_is_missing():
    with pytest.raises(Refusal) as refusal:
        certifying.target_of(MPESA, {"TREASURY_CERTIFY_MPESA_PHONE": "+254700000000"})

    missing = [name for name in NAMES if name in refusal.value.what]
    assert missing == [name for name in NAMES if name != "TREASURY_CERTIFY_MPESA_PHONE"]


def test_asks_for_no_public_address_at_a_simulator():
    given = {wanted.name: "x" for wanted in MPESA.wanted if not wanted.is_for_sandbox}

    assert certifying.target_of(MPESA, {**given, BASE_URL: "http://127.0.0.1:4010/daraja"}) == "simulator"
    assert certifying.target_of(MPESA, {**given, BASE_URL: "http://localhost:4010/daraja"}) == "simulator"
    with pytest.raises(Refusal, match="TREASURY_CERTIFY_MPESA_CALLBACK_URL"):
        certifying.target_of(MPESA, {**given, BASE_URL: MPESA.sandbox})


@pytest.mark.parametrize(
    "address",
    [
        "https://api.safaricom.co.ke",
        "http://sandbox.safaricom.co.ke",
        "https://sandbox.safaricom.co.ke.example.test",
    ],
)
def test_refuses_every_address_but_the_sandbox(address):
    given = dict.fromkeys(NAMES, "x")

    assert certifying.target_of(MPESA, {**given, BASE_URL: MPESA.sandbox}) == "sandbox"
    with pytest.raises(Refusal, match="neither on this machine nor the sandbox"):
        certifying.target_of(MPESA, {**given, BASE_URL: address})


@pytest.mark.parametrize(
    ("name", "said"),
    [("mpesa", NAMES), ("stripe", [f"stripe is not known. Known: {', '.join(certifying.PROVIDERS)}."])],
)
def test_refuses_in_plain_words_before_anything_starts(name, said):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TREASURY_CERTIFY")}

    done = subprocess.run(
        [ROOT / "script" / "certify", name], env=environment, check=False, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert [part for part in said if part not in done.stderr] == []


def test_certifies_every_port_against_a_simulator_and_says_that_it_is_one(certify, simulator, tmp_path):
    done = certify()

    assert done.returncode == 0, done.stdout + done.stderr
    report, page = report_of(tmp_path / "reports")
    assert (report["provider"], report["target"]) == ("mpesa", "simulator")
    assert report["address"] == f"{simulator}/daraja"
    assert report["version"] == certificates.version()
    assert report["commit"] == certificates.commit()
    passed = results(report, "pass")
    assert len([name for name in passed if name.startswith("mpesa")]) == len(passed) == 14
    assert results(report, "fail") == []
    assert {name.partition(":")[0] for name in results(report, "not certified")} == {
        "contract",
        "mpesa_unasked",
    }
    assert page.startswith(f"# M-Pesa (Daraja): simulator, {report['at'][:10]}\n")
    assert "sandbox" not in page
    assert "to-be-hidden" not in page + json.dumps(report) + done.stdout + done.stderr


def test_says_what_failed_without_a_secret(certify, tmp_path):
    done = certify(TREASURY_CERTIFY_MPESA_PASSKEY="another-to-be-hidden")

    assert done.returncode == 1
    report, page = report_of(tmp_path / "reports")
    assert "mpesa: gives a token and accepts a prompt" in results(report, "fail")
    assert "ProviderDeclined" in page
    assert "to-be-hidden" not in page + json.dumps(report) + done.stdout + done.stderr
