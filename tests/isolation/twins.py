"""Two organisations that hold rows with identical ids: acme's are made, zuri's are copies with another canary."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import Model

from apps.access.models import ApiKey, Application, Branch, Membership
from apps.access.services import branch_external_ids
from apps.approvals.contracts import NewStep
from apps.approvals.models import ApprovalDelegation
from apps.documents.contracts import PDF, ArtifactKind
from apps.documents.services import artifacts
from apps.events.models import OutboxEvent, WebhookDelivery
from apps.events.models.outbox import IdentityField
from apps.events.services import sandbox_inboxes
from apps.integrations.contracts import MPESA, CallStatus, ErrorRule, Flow
from apps.integrations.models import ProviderAccount, ProviderCall
from apps.integrations.services import callbacks, error_rules
from apps.invoicing.contracts import SOURCE_TYPE
from apps.invoicing.services import receipts
from apps.jobs.models import Job
from apps.jobs.services import jobs as job_services
from apps.kit import clock, errors, ids, storage
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Period, Transaction
from apps.ledger.services import holds, periods, seals
from apps.ledger.services.holds import Promise
from apps.parties.contracts import Contact, ContactKind
from apps.payments.contracts.bulks import BulkOrder
from apps.payments.models import Dispute, PaymentAttempt
from apps.payments.services import bulks, dispute_evidence
from tests.factories import (
    access,
    approvals,
    disputes,
    events,
    fx,
    jobs,
    ledger,
    parties,
    payments,
    refunds,
    routing,
    saved_methods,
    transfers,
)
from tests.payments import cards

CANARY = {"acme": "acme-canary", "zuri": "zuri-canary"}
PERSONAL = ("+254712345678", "254712345678", "0712345678", "njeri.kamau@example.test", "A098765432Z")
"""What of a payer or a party nobody is shown in full unless it is put on record."""
MADE_ANEW = {"access.apikey", "documents.artifact"}
PDFS = {"rcp": ArtifactKind.RECEIPT_PDF}
"""The file that a document has, by the prefix of its ids."""


def disputed(canary: str) -> Dispute:
    """Return a dispute that can still be answered, with something written down for it."""
    now = clock.now()
    row = disputes.opened(
        refunds.paid(reference=f"{canary}-disputed"), now=now, ticket=f"du_{canary}", provider_reason=canary
    )
    return dispute_evidence.write(dispute_id=row.id, texts={"text": canary}, actor=SYSTEM, now=now)


def populate() -> tuple[str, dict[str, UUID]]:
    """Fill acme with one row of everything that the API shows; return a key, and the ids by their prefix."""
    canary = CANARY["acme"]
    issued = access.issued()
    shop, office = access.application(), access.head_office()
    Application.objects.update(name=canary)
    Branch.objects.update(name=canary)
    endpoint = events.endpoint(f"https://{canary}.example.com/hooks", application_id=shop.id).endpoint
    inbox = sandbox_inboxes.create(application_id=shop.id, now=access.NOW, label=canary)
    account = payments.account(label=canary)
    cards.account(label=canary)
    attempt = payments.waiting(reference=canary, description=canary)
    intent = attempt.intent
    exchanged(attempt, account)
    rule = error_rules.put(rule=ruled(), actor=SYSTEM, now=access.NOW)
    refund = refunds.requested(refunds.paid(reference=f"{canary}-paid"), reason=canary)
    event = OutboxEvent.objects.for_partners().filter(aggregate_id=intent.id).first()
    receipt = receipts.issue(
        payment=receipts.PaidPayment(
            intent_id=intent.id,
            attempt_id=attempt.id,
            branch_id=office.id,
            application_id=shop.id,
            money=Money(1500_00, "KES"),
            payer_name=canary,
            payer_phone=payments.PHONE,
            method="MPESA",
            provider_receipt="NLJ7RT61SV",
            reference=canary,
            description=canary,
            paid_at=access.NOW,
        ),
        now=access.NOW,
    )
    branch_external_ids.link(
        branch_id=office.id, application_id=shop.id, external_id=canary, actor=SYSTEM, now=access.NOW
    )
    now = clock.now()
    rate = fx.rate(source=canary, as_of=now - timedelta(hours=1), now=now)
    job = finished_job(shop.id, office.id)
    approval = approvals.waiting(
        summary=canary, payload={"note": canary}, steps=(NewStep(("approver",), needed=2),)
    )
    approvals.approve(approval, approvals.person(), note=canary)
    delegation = delegated(shop.id)
    ApiKey.objects.filter(id=issued.key.id).update(created_by=delegation.delegator_id)
    payments.listed(account, kind=canary)
    transfer = transfers.made(transfers.enabled(transfers.merchant(display_name=canary)), reference=canary)
    row_ids = {
        "adl": delegation.id,
        "app": shop.id,
        "apr": approval.id,
        "arl": approval.rule_id,
        "blk": bulks.start(orders=[refused_order()], caller=access.caller(), now=access.NOW).id,
        "br": office.id,
        "evt": event.id,
        "fxr": rate.rate_id,
        "inb": inbox.id,
        "job": job.id,
        "pac": account.id,
        "prl": rule.id,
        "rtr": routing.rule(account, name=canary).id,
        "pty": parties.party(
            display_name=canary,
            contacts=(parties.PHONE, Contact(ContactKind.EMAIL, PERSONAL[-2])),
            tax_pin=PERSONAL[-1],
        ).id,
        "key": issued.key.id,
        "pi": intent.id,
        "ca": transfer.connected_account_id,
        "tr": transfer.id,
        "pm": saved_methods.kept(payer_reference=canary, payer_name=canary, payer_email=PERSONAL[-2]).id,
        "rcp": receipt.id,
        "ir": payments.held(reference=canary).id,
        "dp": disputed(canary).id,
        "re": refund.id,
        "whd": WebhookDelivery.objects.get(event_id=event.id).id,
        "whe": endpoint.id,
    }
    store_pdfs(row_ids, "acme")
    return issued.secret, row_ids


def ruled() -> ErrorRule:
    """Return what the organisation says that a provider's refusals stand for."""
    return ErrorRule(
        provider=MPESA,
        flow=Flow.COLLECTION,
        code=CANARY["acme"],
        reason_code="insufficient_funds",
    )


def refused_order() -> BulkOrder:
    """Return one of many payments that was refused as it was read."""
    return BulkOrder(CANARY["acme"], refusal=errors.Invalid("Not now"))


def delegated(application_id: UUID) -> ApprovalDelegation:
    """Return what one person lets another decide in his name; a key that he made shows it."""
    return ApprovalDelegation.objects.create(
        delegator=access.member("approver", "one@example.test"),
        delegate=access.member("approver", "two@example.test"),
        application_id=application_id,
        starts_at=access.NOW,
        ends_at=access.NOW + timedelta(days=90),
        kinds=[],
        reason=CANARY["acme"],
        created_at=access.NOW,
    )


def exchanged(attempt: PaymentAttempt, account: ProviderAccount) -> None:
    """Keep what we said to the provider of an attempt, and what it said."""
    canary = CANARY["acme"]
    ProviderCall.objects.create(
        account_id=account.id,
        kind="stk_push",
        subject_id=attempt.id,
        method="POST",
        url=f"https://provider.example.test/{canary}",
        request_headers={"user-agent": canary},
        request_body=canary,
        status=CallStatus.ANSWERED,
        response_status=200,
        response_body=canary,
        elapsed_ms=184,
        called_at=access.NOW,
    )
    callbacks.store(
        token=attempt.callback_token,
        kind="collection",
        body=json.dumps({"said": canary}).encode(),
        headers={"user-agent": canary},
        remote_ip="127.0.0.1",
        now=access.NOW,
    )


def book(slug: str, branch_id: UUID, now: datetime) -> dict[str, UUID]:
    """
    Book in one of the organisations what the ledger's API shows, under the same ids in both; return them by prefix.

    The ledger is written by its functions only, so its rows are made in each, from the same seed.
    """
    canary = CANARY[slug]
    with clock.fixed(now), ids.seeded(7):
        payer = ledger.ref(AccountRole.CUSTOMER_DEPOSIT, branch_id, owner_id=ids.new(), name=canary)
        payee = ledger.ref(AccountRole.RIDER_PAYABLE, branch_id, owner_id=ids.new(), name=canary)
        posted = ledger.post(
            ledger.transfer(payer, payee, 5_00, key="twin:posting", description=canary), now=now
        )
        promise = Promise(
            key="twin:hold",
            description=canary,
            source_type="twin",
            source_id=ids.new(),
            payer=payer,
            payee=payee,
            money=Money(3_00, "KES"),
        )
        held = holds.place(promise=promise, actor=SYSTEM, now=now)
        periods.generate(year=2026, actor=SYSTEM, now=now)
        seals.run(now=now + timedelta(minutes=5))
    account = Transaction.objects.get(uid=posted.id).entries.get(seq=1).account
    return {
        "acc": account.uid,
        "hld": held.id,
        "ltx": posted.id,
        "per": Period.objects.earliest("start_date").uid,
    }


def store_pdfs(row_ids: dict[str, UUID], slug: str) -> None:
    """Give the documents of one organisation files of their own."""
    for prefix, kind in PDFS.items():
        uploaded = artifacts.upload(
            kind=kind,
            content=f"%PDF-1.7 {CANARY[slug]}".encode(),
            content_type=PDF,
            source_type=SOURCE_TYPE,
            source_id=row_ids[prefix],
            now=access.NOW,
        )
        artifacts.record(file=uploaded, now=access.NOW)


def finished_job(application_id: UUID, branch_id: UUID) -> Job:
    """Return a job of acme that has left a file."""
    canary = CANARY["acme"]
    job = jobs.waiting(
        kind=jobs.FILING,
        title=canary,
        application_id=application_id,
        application_ids=frozenset({application_id}),
        branch_id=branch_id,
        parameters={"text": canary},
    )
    jobs.work(job)
    Job.objects.filter(id=job.id).update(expires_at=access.NOW + timedelta(days=3650))
    return job


def store_result(job_id: UUID, folder: Path) -> None:
    """Give zuri's copy of the job a file of its own."""
    job = Job.objects.get(id=job_id)
    path = folder / job.result_name
    path.write_text(CANARY["zuri"])
    stored = storage.upload(path=path, folder=job_services.folder(job_id), content_type="text/plain")
    facts = {"result_key": stored.key, "result_sha256": stored.sha256, "result_size": stored.size}
    Job.objects.filter(id=job_id).update(**facts, expires_at=access.NOW + timedelta(days=3650))


def tables() -> list[type[Model]]:
    """Return the models of an organisation that its application role may write; a proxy has no rows of its own."""
    fixed = set(settings.NO_WRITE_TABLES)
    ours = (config for config in apps.get_app_configs() if config.name in settings.TENANT_APPS)
    return [
        model
        for config in ours
        for model in config.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in fixed
    ]


def read() -> list[Model]:
    return [
        row
        for model in tables()
        if model._meta.label_lower not in MADE_ANEW
        for row in model._base_manager.all()
    ]


def write(rows: list[Model]) -> None:
    """Insert rows of acme into zuri with the same ids and zuri's canary in every text."""
    with transaction.atomic():
        for row in rows:
            for field in row._meta.concrete_fields:
                row.__dict__[field.attname] = _for_zuri(field, getattr(row, field.attname))
            models.Model.save_base(row, raw=True, force_insert=True)


def _for_zuri(field: models.Field, value: Any) -> Any:
    if isinstance(field, IdentityField):
        return field.get_default()
    if isinstance(value, str):
        return value.replace(CANARY["acme"], CANARY["zuri"])
    if isinstance(value, bytes | memoryview):
        return bytes(value).replace(CANARY["acme"].encode(), CANARY["zuri"].encode())
    if isinstance(value, dict | list):
        return json.loads(json.dumps(value, default=str).replace(CANARY["acme"], CANARY["zuri"]))
    return value


def key_of_zuri(key_id: UUID) -> str:
    """Return a key of zuri whose row has the same id as acme's."""
    issued = access.issued()
    maker = Membership.objects.get(user__email="one@example.test")
    ApiKey.objects.filter(id=issued.key.id).update(id=key_id, created_by=maker)
    return issued.secret


def contents() -> dict[str, list[dict[str, Any]]]:
    """Return every row of the present organisation."""
    found = {}
    for model in tables():
        rows = [
            {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
            for row in model._base_manager.order_by("pk").values()
        ]
        found[model._meta.label] = rows
    return found
