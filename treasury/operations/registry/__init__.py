"""THE LIST: every noun and verb that operators have. --help and docs/operations.md are made from it."""

from treasury.operations.registry.money import FX, LEDGER, PAYMENT, PROVIDER, REFUND
from treasury.operations.registry.people import APPROVAL, MEMBER, USER
from treasury.operations.registry.places import AUDIT, KEY, SYSTEM, TENANT
from treasury.operations.registry.traffic import CALLBACK, ENDPOINT, JOB, OUTBOX, WEBHOOK

NOUNS = (
    TENANT,
    LEDGER,
    FX,
    PROVIDER,
    PAYMENT,
    REFUND,
    CALLBACK,
    OUTBOX,
    WEBHOOK,
    ENDPOINT,
    JOB,
    APPROVAL,
    AUDIT,
    KEY,
    MEMBER,
    USER,
    SYSTEM,
)
