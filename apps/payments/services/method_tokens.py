"""The provider's tokens of saved methods: sealed for the organisation, found by a digest, opened for a call about to be made."""

import json
from dataclasses import asdict, dataclass, field

from apps.kit import crypto
from apps.payments.models import SavedMethod
from apps.tenancy.services import data_keys


@dataclass(frozen=True, slots=True)
class Kept:
    """What charges a saved method: its token, and the payer's at the provider."""

    token: str = field(default="", repr=False)
    customer: str = field(default="", repr=False)


NOTHING = Kept()


def opened(saved: SavedMethod) -> Kept:
    """Return what charges a saved method; nothing of one that was never kept or is forgotten. Raises crypto.Unreadable."""
    return Kept(**json.loads(_open(saved, saved.sealed_token))) if saved.sealed_token else NOTHING


def sealed(saved: SavedMethod, kept: Kept) -> bytes:
    return _seal(saved, json.dumps(asdict(kept)).encode())


def customer(saved: SavedMethod) -> str:
    """Return the payer's token under which a saved method is asked for; empty where the provider is to make one."""
    return _open(saved, saved.sealed_customer).decode() if saved.sealed_customer else ""


def seal_customer(saved: SavedMethod, token: str) -> None:
    saved.sealed_customer = _seal(saved, token.encode()) if token else b""


def digest(token: str) -> str:
    """Return what a token is found by."""
    return crypto.keyed_hash(token, b"treasury.payments.saved_method")


def reseal() -> int:
    """Seal the tokens of every saved method with the newest data key, in the caller's transaction; return of how many."""
    found = list(SavedMethod.objects.locked().order_by("id"))
    for saved in found:
        for name in ("sealed_token", "sealed_customer"):
            if value := bytes(getattr(saved, name)):
                setattr(saved, name, data_keys.reseal(value=value, purpose=saved.purpose))
        saved.save(update_fields=["sealed_token", "sealed_customer"])
    return len(found)


def _open(saved: SavedMethod, value: bytes | memoryview) -> bytes:
    return data_keys.decrypt(value=bytes(value), purpose=saved.purpose)


def _seal(saved: SavedMethod, plaintext: bytes) -> bytes:
    return data_keys.encrypt(plaintext=plaintext, purpose=saved.purpose)
