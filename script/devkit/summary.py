"""What script/server prints once everything is healthy: addresses, logins, and a payment to paste."""

import json
from pathlib import Path
from typing import Any

from script.devkit import packages
from script.devkit.environment import Ports
from script.devkit.folders import Folders
from script.devkit.steps import say

PLACES = {
    "portal_url": "Portal",
    "api_base": "API",
    "api_docs_url": "API reference",
    "phone_url": "Customer's phone",
    "inbox_url": "Webhook inbox",
    "platform_url": "Platform admin",
}


def show(folders: Folders, ports: Ports, *, seconds: float) -> None:
    """Print the addresses, the logins of the demo organisation and a command that creates a payment."""
    demo = read(folders.var / "demo.json")
    say(f"\n  The treasury is up after {seconds:.1f} s.\n")
    places = {label: str(demo[key]) for key, label in PLACES.items() if demo.get(key)}
    places.setdefault("API reference", f"{ports.url}/v1/docs")
    places["Simulator"] = ports.simulator_url
    places["Logs"] = str(folders.log)
    if organisation := demo.get("organisation"):
        say(f"  {'Organisation':<18} {organisation}")
    for label, place in places.items():
        say(f"  {label:<18} {place}")
    for login in demo.get("logins", []):
        say(f"  {'Login':<18} {login['email']}  {login['password']}  ({login['role']})")
    if demo.get("api_key"):
        say(f"  {'API key':<18} {demo['api_key']}")
        _show_payment(demo)
    if was_made_elsewhere(demo, ports):
        say("\n  The demo organisation was made for other ports: its links and webhooks still point there.")
        say("  Make it anew for these:\n    script/server --reset")
    if packages.pango_state() != packages.PRESENT:
        say(
            f"\n  Receipts wait: pango is missing. Install it, then start again:\n    {packages.pango_command()}"
        )
    say("\n  Ctrl-C stops everything.")


def was_made_elsewhere(demo: dict[str, Any], ports: Ports) -> bool:
    """Whether the addresses that the demo organisation was made with are not those of now."""
    api, phone = demo.get("api_base", ports.url), demo.get("phone_url", ports.simulator_url)
    return not (api.startswith(ports.url) and phone.startswith(ports.simulator_url))


def read(path: Path) -> dict[str, Any]:
    """The demo organisation's credentials as seed_demo wrote them; empty when it wrote none."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _show_payment(demo: dict[str, Any]) -> None:
    body = {
        "amount": {"amount": "1500.00", "currency": "KES"},
        "method": "mpesa",
        "payer": {"phone": demo.get("phone") or "+254708374149"},
        "reference": "INV-1001",
    }
    say("\n  Ask a customer for money, then approve it on the phone page:\n")
    say(f"    curl -sS {demo['api_base']}/payments \\")
    say(f"      -H 'Authorization: Bearer {demo['api_key']}' \\")
    say('      -H "Idempotency-Key: $(date +%s)-$$" \\')
    say("      -H 'Content-Type: application/json' \\")
    say(f"      -d '{json.dumps(body)}'")
