"""Verification: the ledger's invariants, recomputed from its rows; a module per noun, and the verdict over all of them."""

from apps.ledger.services.verification.invariants import HOLD, MEANINGS, Finding, Invariant
from apps.ledger.services.verification.verdicts import Verdict, verify

__all__ = ["HOLD", "MEANINGS", "Finding", "Invariant", "Verdict", "verify"]
