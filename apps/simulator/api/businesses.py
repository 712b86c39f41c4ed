"""Businesses on the control interface: their accounts, and the addresses that a person deletes for them."""

import re
from collections.abc import Mapping

from apps.simulator.api import shapes
from apps.simulator.api.control_json import ControlRefusal, content, shown
from apps.simulator.contracts import Account, AccountType, Environment, PayerForm, Request, Response
from apps.simulator.services import accounts, registrations
from apps.simulator.services.world import World

REQUIRED = ("name", "consumer_key", "consumer_secret", "passkey")
OPTIONAL = ("initiator", "initiator_password")
CHOICES = {"environment": tuple(Environment), "payer_form": tuple(PayerForm)}
KNOWN = {*REQUIRED, *OPTIONAL, *CHOICES, "type", "charge_bps", "validation", "store"}
WHOLE_BPS = 10_000
STORE = re.compile("[0-9]{5,7}")


def save(world: World, request: Request, shortcode: str) -> Response:
    """Create or replace an account."""
    account = _account(shortcode, content(request))
    with world.store.transaction() as tx:
        saved = accounts.save(tx=tx, account=account)
        return shown(shapes.account(saved, registrations.find(tx=tx, shortcode=shortcode)))


def forget_addresses(world: World, _: Request, shortcode: str) -> Response:
    """Delete what a shortcode has registered, as a person does at Safaricom's portal."""
    with world.store.transaction() as tx:
        return shown({"removed": registrations.forget(tx=tx, shortcode=shortcode)})


def _account(shortcode: str, given: Mapping[str, object]) -> Account:
    unknown = set(given) - KNOWN
    if unknown:
        raise ControlRefusal(400, "invalid_account", f"Unknown fields: {', '.join(sorted(unknown))}.")
    if given.get("type") not in ("paybill", "till"):
        raise ControlRefusal(400, "invalid_account", "type is paybill or till.")
    texts = {name: given.get(name) for name in REQUIRED} | {name: given.get(name, "") for name in OPTIONAL}
    wrong = [
        name
        for name, value in texts.items()
        if not isinstance(value, str) or not value.isprintable() or (name in REQUIRED and not value)
    ]
    if wrong:
        raise ControlRefusal(400, "invalid_account", f"Printable texts are needed: {', '.join(wrong)}.")
    for name, choices in CHOICES.items():
        if given.get(name, choices[0]) not in choices:
            raise ControlRefusal(400, "invalid_account", f"{name} is {' or '.join(choices)}.")
    is_validating = given.get("validation", True)
    if not isinstance(is_validating, bool):
        raise ControlRefusal(400, "invalid_account", "validation is true or false.")
    charge_bps = given.get("charge_bps", 0)
    if isinstance(charge_bps, bool) or not isinstance(charge_bps, int) or not 0 <= charge_bps <= WHOLE_BPS:
        raise ControlRefusal(400, "invalid_account", "charge_bps is a whole number from 0 to 10000.")
    return Account(
        shortcode=shortcode,
        type=AccountType(str(given["type"])),
        name=str(texts["name"]),
        consumer_key=str(texts["consumer_key"]),
        consumer_secret=str(texts["consumer_secret"]),
        passkey=str(texts["passkey"]),
        initiator=str(texts["initiator"]),
        initiator_password=str(texts["initiator_password"]),
        charge_bps=charge_bps,
        environment=Environment(str(given.get("environment", Environment.SANDBOX))),
        payer_form=PayerForm(str(given.get("payer_form", PayerForm.PLAIN))),
        is_validating=is_validating,
        store=_store(given),
    )


def _store(given: Mapping[str, object]) -> str:
    store = given.get("store", "")
    if not isinstance(store, str) or (store and not (STORE.fullmatch(store) and given["type"] == "till")):
        raise ControlRefusal(400, "invalid_account", "store is the shortcode of the store of a till.")
    return store
