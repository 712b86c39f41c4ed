"""The matrix of the portal: every address, for who may, for who may not, from another branch and from another organisation."""

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from apps.access.contracts import PERMISSIONS
from apps.access.models import Branch, Role
from apps.access.services import admissions, grants, roles
from apps.audit.models import AuditRecord
from apps.events.models import EventDelivery
from apps.events.models.delivery import DeliveryStatus
from apps.integrations.models import ProviderAccount
from apps.integrations.services import accounts
from apps.jobs.models import Job
from apps.kit import clock, ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import JOURNAL
from apps.ledger.models import Account, Transaction
from apps.ledger.services import papers
from apps.payments.contracts import EvidencePurpose
from apps.payments.services import attempts, dispute_evidence, intents
from apps.tenancy.models import GrantChange
from tests.access.onboard import let_in
from tests.factories import access as make
from tests.factories import approvals, ledger, onboarding, payments
from tests.isolation import deeds, own_pages, pages, portal_rows, twins
from tests.isolation.portal_lines import GONE
from tests.isolation.undoing import undone
from tests.ledger.test_adjust_books import ask, prepare
from tests.payments import cards

ADDRESSES = pages.every()
ROWS = portal_rows.every()
EMAIL = "probe@example.test"
KINDS = {"portal-chart-file": "csv"}


class Probe:
    """A member of acme whose role and branch are changed from one request to the next, and a stranger from zuri."""

    def __init__(self, organisation, facts, rows):
        self.organisation, self.facts, self.rows = organisation, facts, rows
        self.member = make.member("support", EMAIL)
        self.client = Client(headers={"host": "acme.testserver"}, raise_request_exception=False)
        self.client.force_login(get_user_model().objects.get(email=EMAIL))

    def holds(self, permissions, *branches):
        Role.objects.filter(code="support").update(permissions=sorted(permissions))
        self.member.branches.set(branches)

    def get(self, name):
        """Return the answer as the table notes it, and the body."""
        label = name.partition(" ")[0]
        facts = {**self.facts, "kind": KINDS.get(name, "reconciliation")}
        if label in portal_rows.ADMINS:
            facts["object_id"] = facts["key"] = self.rows.get(name, self.rows[label])
        with undone():
            response = self.client.get(ADDRESSES[name].path(facts))
            body = b"".join(response.streaming_content) if response.streaming else response.content
        connection.set_tenant(self.organisation)
        return noted(response, body.decode(errors="replace")), body.decode(errors="replace")


def noted(response, body):
    if response.status_code == 404 or response.headers.get("Location") == "/portal/":
        return GONE
    return f"{response.status_code}{'+' if twins.CANARY['acme'] in body else ''}"


@pytest.fixture
def probe(db, in_organisation, settings):
    """Fill acme and zuri with twins, let somebody into acme, and say which row each address is about."""
    settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_LOCAL": True}
    in_organisation("acme")
    _, row_ids = twins.populate()
    Branch.objects.filter(id=row_ids["br"]).update(name="Head office")
    rows, now = twins.read(), clock.now()
    booked = twins.book("acme", row_ids["br"], now)
    in_organisation("zuri")
    twins.write(rows)
    twins.book("zuri", row_ids["br"], now)
    acme = in_organisation("acme")
    row_ids |= booked
    Job.objects.filter(id=row_ids["job"]).update(branch_ids=[row_ids["br"]])
    facts = {
        "payment_id": row_ids["pi"],
        "receipt_id": row_ids["rcp"],
        "account_uid": row_ids["acc"],
        "transaction_uid": row_ids["ltx"],
        "period_id": row_ids["per"],
        "job_id": row_ids["job"],
        "delivery_id": row_ids["whd"],
        "dispute_id": row_ids["dp"],
        "inbox_id": row_ids["inb"],
        "request_id": row_ids["apr"],
        "application_id": row_ids["app"],
        "record_id": AuditRecord.objects.latest("occurred_at").pk,
        "invite_id": ids.new(),
        "label": "payments.paymentintent",
        "slug": "trial-balance",
    }
    chosen = {
        "payments.inboundreceipt": row_ids["ir"],
        "payments.paymentintent": row_ids["pi"],
        "payments.dispute": row_ids["dp"],
        "payments.refund": row_ids["re"],
        "parties.party": row_ids["pty"],
        "access.application": row_ids["app"],
        "access.branch": row_ids["br"],
        "approvals.approvalrequest": row_ids["apr"],
        "jobs.job": row_ids["job"],
        "ledger.account": Account.objects.get(uid=row_ids["acc"]).pk,
        "ledger.transaction": Transaction.objects.get(uid=row_ids["ltx"]).pk,
    }
    firsts = {
        model._meta.label_lower: model._base_manager.order_by("pk").values_list("pk", flat=True).first()
        for model in admin.site._registry
    }
    facts |= a_journal() | a_waiting_change() | a_disputes_file(row_ids["dp"])
    return Probe(acme, facts, firsts | chosen | in_the_right_state())


def a_journal():
    """Let somebody ask for a journal, with a paper."""
    approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=approvals.ONE_APPROVER)
    request = ask(prepare(), description=twins.CANARY["acme"])
    paper = papers.attach(
        voucher="JV-0012",
        content=f"%PDF-1.7 {twins.CANARY['acme']}".encode(),
        actor=approvals.maker(),
        now=ledger.NOW,
    )
    return {"subject_id": request.subject_id, "file_id": paper.id}


def a_disputes_file(dispute_id):
    """Let somebody attach a file to the evidence of a dispute."""
    file = dispute_evidence.attach(
        dispute_id=dispute_id,
        purpose=EvidencePurpose.RECEIPT,
        name=f"{twins.CANARY['acme']}.pdf",
        content=f"%PDF-1.7 {twins.CANARY['acme']}\n%%EOF".encode(),
        actor=approvals.maker(),
        now=payments.NOW,
    )
    return {"dispute_file_id": file.id}


def a_waiting_change():
    """Let an application in for all branches, which asks for more."""
    books = onboarding.registered()
    link = let_in(make.member("owner", "four@example.test"), onboarding.asked(books))
    wanted = grants.Grant(frozenset([*link.scopes, "payments:read"]), None)
    grants.ask(
        application=books.application, link_id=link.id, wanted=wanted, message="We grow.", now=make.NOW
    )
    return {"link_id": link.id, "change_id": GrantChange.objects.get(link=link).id}


def in_the_right_state():
    """Return the rows that dialogs take which do not take those of the twins."""
    dead = EventDelivery.objects.earliest("id")
    EventDelivery.objects.filter(id=dead.id).update(status=DeliveryStatus.DEAD)
    off = payments.account(label=twins.CANARY["acme"], branch_id=make.branch("MSA", "Mombasa").id)
    accounts.disable(account_id=off.id, actor=SYSTEM, now=payments.NOW)
    spare_key = make.issued(("payments:read",)).key
    boss, other = approvals.person("boss", "controller"), make.member("owner", "three@example.test")
    email = f"{twins.CANARY['acme']}@example.test"
    with approvals.no_small_team():
        waits = admissions.admit(email=email, name="Waits", role="support", actor=boss, now=payments.NOW)
    change = approvals.rule_change(by=boss, branch_id=make.head_office().id)
    prompted, lost = payments.waiting(), payments.sending()
    attempts.lose(attempt_id=lost.id, now=payments.NOW)
    reviewed, refund = money_of_another_sum(), deeds.lost_refund().row
    return {
        "access.membership": waits.membership.id,
        "access.membership {row}/do/end-sessions": other.id,
        "approvals.approvalrequest {row}/do/amend-rule": change.id,
        **dict.fromkeys(
            [f"access.apikey {{row}}/do/{deed}" for deed in ("rotate", "networks", "revoke")], spare_key.id
        ),
        "disbursements.connectedaccount {row}/do/close": deeds.unknown_account(),
        "disbursements.transfer {row}/do/close": deeds.unknown_transfer(),
        "events.eventdelivery {row}/do/requeue": dead.id,
        "events.eventdelivery {row}/do/skip": dead.id,
        "events.webhookendpoint {row}/do/enable": deeds.silenced_endpoint().row,
        "integrations.provideraccount {row}/do/enable": off.id,
        "jobs.job {row}/do/stop": deeds.spare_job().row,
        "payments.dispute {row}/do/appeal": deeds.lost_dispute().row,
        "payments.inboundreceipt {row}/do/confirm": unconfirmed_money().id,
        "payments.paymentattempt": reviewed.id,
        "payments.paymentintent {row}/do/accept-review": reviewed.intent_id,
        "payments.paymentintent {row}/do/ask": prompted.intent_id,
        "payments.paymentintent {row}/do/capture": cards.authorized().intent_id,
        "payments.paymentintent {row}/do/close-review": reviewed.intent_id,
        "payments.paymentintent {row}/do/cancel": prompted.intent_id,
        "payments.paymentintent {row}/do/close": lost.intent_id,
        "payments.paymentintent {row}/do/verify": lost.intent_id,
        "payments.paymentintent {row}/do/refund": deeds.paid(),
        **dict.fromkeys([f"payments.refund {{row}}/do/{deed}" for deed in ("close", "verify")], refund),
    }


def unconfirmed_money():
    """Return money that came unasked and waits until the provider confirms it."""
    accounts_of_acme = ProviderAccount.objects.filter(is_enabled=True)
    accounts_of_acme.update(confirm_from_minor=1_00)
    inbound = payments.held(reference=twins.CANARY["acme"])
    accounts_of_acme.update(confirm_from_minor=None)
    return inbound


def money_of_another_sum():
    """Return an attempt whose money waits in suspense."""
    attempt = payments.waiting(reference=f"{twins.CANARY['acme']}-held")
    report = payments.collected(attempt, money=Money(1400_00, "KES"))
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=payments.NOW)
    return attempt


def test_every_address_has_a_row_and_every_row_an_address():
    known = set(ROWS) | set(own_pages.BEFORE_THE_DOOR)
    missing, left = set(ADDRESSES) - known, known - set(ADDRESSES)

    assert (missing, left) == (set(), set()), (
        f"Say in ADMINS of tests/isolation/portal_rows.py, or in PAGES of own_pages.py, who sees {sorted(missing)}, "
        f"and take out {sorted(left)}."
    )


def test_a_role_is_nothing_but_its_permissions(acme):
    for code in roles.DEFAULTS:
        person = make.member(code, f"{code}@example.test").user
        held = {name for name in PERMISSIONS if person.has_perm(name)}

        assert held == set(Role.objects.get(code=code).permissions), code


def test_every_address_answers_as_its_row_says(probe):
    cbd = make.branch("NBO-CBD", "City centre")
    faults = []
    for name in sorted(set(ROWS) & set(ADDRESSES)):
        page = ROWS[name]
        if page.needs is None:
            probe.holds(PERMISSIONS)
            check(faults, probe, name, "with every permission", "403")
            continue
        ways = [way.split("&") for way in page.needs.split("|")]
        probe.holds({need for need in ways[0] if need})
        check(faults, probe, name, "with what it needs", page.own)
        probe.holds({need for need in ways[0] if need}, cbd)
        check(faults, probe, name, "from another branch", page.elsewhere)
        if page.needs:
            probe.holds(set(PERMISSIONS) - {way[0] for way in ways})
            check(faults, probe, name, "without it", page.refused, GONE)
    assert faults == [], "\n".join(faults)


def check(faults, probe, name, who, *expected):
    got, body = probe.get(name)
    if got not in expected:
        faults.append(f"{name}, {who}: expected {' or '.join(expected)}, got {got}")
    if twins.CANARY["zuri"] in body:
        faults.append(f"{name}, {who}: shows what zuri's twin of the row says")
    whole = [datum for datum in twins.PERSONAL if datum in body]
    if whole and name not in portal_rows.SHOWN_WHOLE:
        faults.append(
            f"{name}, {who}: shows {whole}: mask it, or record who saw it and say so in SHOWN_WHOLE"
        )


def test_a_session_opens_no_address_of_another_organisation(probe):
    probe.holds(PERMISSIONS)
    cookie = {"sessionid": probe.client.cookies["sessionid"].value}
    stranger = Client(headers={"host": "zuri.testserver"})
    stranger.cookies.load(cookie)
    for name in sorted(set(ROWS) & set(ADDRESSES)):
        label = name.partition(" ")[0]
        facts = {
            **probe.facts,
            "kind": "csv",
            "object_id": probe.rows.get(label),
            "key": probe.rows.get(label),
        }
        response = stranger.get(ADDRESSES[name].path(facts))

        assert response.status_code == 302, name
        assert response["Location"].startswith("/portal/login/"), name
