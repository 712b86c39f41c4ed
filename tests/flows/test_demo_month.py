"""The demo's month: a server that starts with it serves it, and its books foot after each start."""

import httpx

from script.devkit import ports
from script.devkit.ephemeral import RunningTreasury, treasury_in
from script.devkit.throwaway import throw_away_folder
from tests.loopback import NO_TLS
from tests.running import SHORT_CODE, World, wait_for

ORDERS = 30


def verdict(treasury: RunningTreasury) -> str:
    """Return what the server says of the books once it is up."""

    def look() -> str:
        lines = (treasury.folders.var / "server.log").read_text(encoding="utf-8").splitlines()
        return next((line.strip() for line in lines if "books" in line.lower()), "")

    return wait_for(look, what="the verdict on the books")


def test_its_books_foot_after_each_start(monkeypatch):
    chosen = ports.choose(taken=set())
    simulator = ports.choose(taken={chosen})
    options = ("--demo-orders", str(ORDERS), "--port", str(chosen), "--simulator-port", str(simulator))
    with throw_away_folder("month") as var, httpx.Client(timeout=60, verify=NO_TLS) as client:
        with treasury_in(var, *options) as treasury:
            world = World(treasury, client)
            first = verdict(treasury)
            references = {one["reference"] for one in world.call("GET", "/payments?limit=100").json()["data"]}
            payment_id = world.pay("254700000000", "750.00", reference="AFTER-THE-MONTH")
            world.wait_status(payment_id, "succeeded")
            closing = world.statement(SHORT_CODE)["closing_balance"]
        with treasury_in(var, *options) as treasury:
            again = verdict(treasury)
            world = World(treasury, client)
            kept = world.payment(payment_id)

            assert first.startswith("The books foot: KES ")
            assert len(references) == ORDERS
            assert again.startswith("The books foot: KES ")
            assert payments_of(again) == payments_of(first) + 1
            assert kept["status"] == "succeeded"
            assert world.statement(SHORT_CODE)["closing_balance"] == closing
            assert {login["email"].partition("@")[0] for login in treasury.demo["logins"]} == {
                "amina", "brian", "grace", "daniel", "fatuma", "ops"
            }  # fmt: skip


def payments_of(line: str) -> int:
    """Read the number of payments from 'The books foot: KES 1,234.00 in 25 payments.'"""
    return int(line.rpartition(" in ")[2].split()[0])
