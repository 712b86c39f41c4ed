"""Proofs: that a transaction is in a seal, as a file that anyone can check without us."""

import json
import re
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.kit import errors
from apps.ledger import merkle
from apps.ledger.models import SealLeaf, Transaction
from apps.ledger.selectors import leaves, transactions
from apps.tenancy.selectors import organisations

TYPE = "treasury.proof/1"
NUMBER = re.compile(r"LT-([0-9]{1,18})")

type Proof = dict[str, object]


class ProofNotReady(errors.DomainError):
    """The transaction is not sealed yet; it will be within minutes."""

    code = "proof_not_ready"
    title = "Proof not ready"
    retryable = True


class ProofBroken(errors.DomainError):
    """The transaction is not what was sealed: somebody has changed the database past its guards."""

    code = "proof_broken"
    title = "Transaction differs from its seal"
    status = 500
    category = "internal"


def of(uid: UUID, caller: Principal | None = None) -> Proof:
    """
    Return the proof of one transaction: treasury.proof/1 up to its seal, which ``as_text`` makes a file of.

    Raises NotFound unless the caller sees a branch that the transaction touches, ProofNotReady before it is sealed, and
    ProofBroken when it is not what was sealed: a proof that would not hold is never given out.
    """
    found = transactions.visible_to(caller).filter(uid=uid).values_list("id", flat=True).first()
    if found is None:
        raise errors.NotFound("There is no such transaction.")
    leaf = SealLeaf.objects.select_related("seal").filter(transaction_id=found).first()
    if leaf is None:
        raise ProofNotReady("This transaction is not sealed yet. Ask again in two minutes.")
    seal = leaf.seal
    beside = seal.leaves.order_by("position").values_list("leaf_hash", flat=True)
    hashes = [bytes(one) for one in beside]
    [(_, text)] = leaves.statements([found])
    path = merkle.path(hashes, leaf.position) if leaf.position < len(hashes) else []
    root = bytes(seal.merkle_root)
    if merkle.climb(merkle.leaf(text), path) != root:
        raise ProofBroken("This transaction is not what was sealed. Have the operators verify the ledger.")
    return {
        "type": TYPE,
        "statement": text,
        "tenant": _hex(organisations.current().id.bytes),
        "transaction": {"path": [_hex(sibling) for sibling in path]},
        "seal": {
            "seq": seal.seq,
            "count": seal.tx_count,
            "prev": _hex(bytes(seal.prev_hash)),
            "root": _hex(root),
        },
        "links": [],
    }


def uid_of(name: str) -> UUID:
    """Return the id of the transaction that has this id or this number, as LT-0482377; raise NotFound if none has."""
    number = NUMBER.fullmatch(name.upper())
    try:
        found = (
            Transaction.objects.filter(id=number[1]) if number else Transaction.objects.filter(uid=UUID(name))
        )
    except ValueError:
        raise errors.NotFound(f"{name!r} is neither the id nor the number (LT-…) of a transaction.") from None
    uid = found.values_list("uid", flat=True).first()
    if uid is None:
        raise errors.NotFound("There is no such transaction.")
    return uid


def as_text(proof: Proof) -> str:
    """Return the file of a proof: one line of JSON, at most 2,000 bytes where the transaction has two legs."""
    return json.dumps(proof, ensure_ascii=False, separators=(",", ":"))


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
