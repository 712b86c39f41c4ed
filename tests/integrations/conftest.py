"""A simulator on a port of its own, and an account that talks to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.integrations.models import ProviderAccount
from apps.simulator import server
from tests.factories import integrations
from tests.loopback import NO_TLS


@dataclass
class Control:
    """The simulator's control interface."""

    url: str
    http: httpx.Client

    def register(self, **changes: Any) -> None:
        body = integrations.simulators_side(**changes)
        self._expect(self.http.put(f"/__control/accounts/{integrations.SHORT_CODE}", json=body))

    def script(
        self, *actions: object, path: str = "/mpesa/stkpush/v1/processrequest", times: int = 1
    ) -> None:
        """Have the next calls of a path go wrong."""
        body = {"match": {"path": path}, "times": times, "actions": list(actions)}
        self._expect(self.http.post("/__control/scripts", json=body))

    def decide(self, ticket: str, decision: str) -> None:
        self._expect(self.http.post(f"/__control/prompts/{ticket}/{decision}"))

    def certificate(self) -> str:
        return self._expect(self.http.get("/__control/certificate")).text

    def prompts(self) -> list[dict[str, Any]]:
        return self._expect(self.http.get("/__control/prompts")).json()["prompts"]

    def calls(self) -> list[dict[str, Any]]:
        entries = self._expect(self.http.get("/__control/log")).json()["entries"]
        return [entry for entry in entries if entry["kind"] == "call"]

    def _expect(self, answer: httpx.Response) -> httpx.Response:
        assert answer.is_success, answer.text
        return answer


@pytest.fixture
def simulator(tmp_path: Path, settings) -> Iterator[Control]:
    running = server.serve(host="127.0.0.1", port=0, store_path=tmp_path / "simulator.sqlite3", seed=7)
    settings.TREASURY = {**settings.TREASURY, "SIMULATOR_URL": running.url}
    with httpx.Client(base_url=running.url, trust_env=False, timeout=10, verify=NO_TLS) as client:
        control = Control(running.url, client)
        control.register()
        yield control
    running.close()


@pytest.fixture
def account(acme, simulator) -> ProviderAccount:
    """Return head office's account with the running simulator."""
    return integrations.simulated_account(simulator.url, certificate=simulator.certificate())
