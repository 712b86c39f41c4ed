"""Scenarios of rails that sign their messages: a message is a nudge, and what the provider answers to a question is booked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from apps.integrations.ports import DisputeStage
from apps.integrations.services import providers
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.payments.contracts import IntentStatus
from apps.payments.contracts.saving import SavedMethodStatus
from apps.payments.models import Dispute
from apps.payments.services import dispute_answers, dispute_evidence, method_tokens, saved_methods
from tests.contract.catalogue import Capability, scenario
from tests.contract.collecting import PAID, is_paid
from tests.contract.rails import Rail, edited
from tests.factories import saved_methods as factory
from tests.payments.conftest import told
from tests.payments.test_two_connections import at_once

HARMLESS = {"APPLIED", "DUPLICATE", "IGNORED"}

signs = lambda name: scenario(Capability.WEBHOOK, name)  # noqa: E731 (an abbreviation)


def come(rail: Rail) -> list[dict[str, Any]]:
    """Return what is told of a payment that was paid, without bringing it."""
    rail.let_pass(timedelta(seconds=3))
    return rail.kept_back()


@signs("messages come five times at once: one books")
def messages_doubled(rail: Rail) -> None:
    rail.spoil("collect", {"action": "duplicate_callback", "n": 5})
    intent = rail.ask()
    stored = [rail.store(one) for one in come(rail)]
    at_once(*[lambda uid=uid: rail.read(uid) for uid in stored])
    rail.rest()
    assert {rail.verdict(uid) for uid in stored} <= HARMLESS
    assert is_paid(rail, intent)
    assert told(intent.id) == PAID


@signs(
    "a message that is not proven: with another text, by another's secret, of another time, or at nobody's address"
)
def messages_forged(rail: Rail) -> None:
    rail.spoil("collect", "bad_signature")
    rail.spoil("collect", {"action": "clock_skew", "seconds": -rail.words.too_old})
    rail.spoil("collect", {"action": "clock_skew", "seconds": 301})
    asked = [rail.ask() for _ in range(3)]
    came = come(rail)
    assert {rail.deliver(one) for one in came} == {"FORGED"}
    true = rail.ask()
    for message in come(rail):
        changed = edited(edited(message, 1500_00, 1400_00), "1500.00", "1400.00")
        assert rail.deliver(changed) in {"FORGED", *HARMLESS}
        assert rail.deliver({**message, "headers": {}}) == "FORGED"
        assert (
            rail.deliver({**message, "url": message["url"].replace(rail.account.callback_token, ids.token())})
            == "FORGED"
        )
    assert not any(rail.attempt(one).booked_at for one in (*asked, true))
    rail.rest()
    assert all(rail.again(one).status == IntentStatus.SUCCEEDED for one in (*asked, true))


@signs("a message that cannot be read or proves nothing changes nothing: the question decides")
def messages_garbled(rail: Rail) -> None:
    intent = rail.ask()
    message = come(rail)[0]
    for body in (b"", b"[]", b'{"object": "event"}', b"\xff\xfe"):
        assert rail.deliver({**message, "body": body}) in {"FORGED", "MALFORMED"}
    rail.rest()
    assert is_paid(rail, intent)


@signs("messages lie: another sum was told than moved, and what moved is booked")
def messages_lie(rail: Rail) -> None:
    rail.spoil("collect", {"action": "wrong_amount_callback_only", "amount": 1})
    intent = rail.ask()
    rail.rest()
    assert is_paid(rail, intent)


@scenario(
    Capability.METHOD,
    "a way to pay is kept by consent, known by a token alone, charged once though the answer is lost, and forgotten",
)
def method_kept(rail: Rail) -> None:
    wanted = factory.wanted(method=rail.words.method, currency=rail.words.currency)
    saved = saved_methods.create(request=wanted, actor=SYSTEM, now=rail.now)
    rail.rest(seconds=60)
    assert factory.reloaded(saved).status == SavedMethodStatus.PENDING
    rail.words.keep(rail, factory.reloaded(saved).ticket)
    rail.rest(seconds=60)
    kept = method_tokens.opened(factory.reloaded(saved))
    assert (bool(kept.token), bool(kept.customer), rail.rows()) == (True, True, [])
    rail.spoil("charge", {"action": "reset", "processed": True}, "drop_callback")
    intent = rail.ask(choice=replace(rail.words.choice(rail.words.decides), saved_method_id=saved.id))
    assert intent.status == IntentStatus.UNKNOWN
    rail.rest()
    assert is_paid(rail, intent)
    saved_methods.forget(method_id=saved.id, actor=SYSTEM, now=rail.now)
    rail.rest()
    assert factory.reloaded(saved).status == SavedMethodStatus.FORGOTTEN


@scenario(Capability.DISPUTE, "a payment is disputed: it is found and told as it stands, and booked so")
def disputed(rail: Rail) -> None:
    intent = rail.ask()
    rail.rest()
    rail.words.dispute(rail, rail.attempt(intent).provider_receipt)
    port = providers.dispute(rail.account.id, now=rail.now)
    found = [
        one
        for one in port.list(rail.now - timedelta(days=1)).reports
        if one.receipt == rail.attempt(intent).provider_receipt
    ]
    assert [one.stage for one in found] == [DisputeStage.NEEDS_RESPONSE]
    assert port.read(found[0].ticket) == found[0]
    assert found[0].money == intent.money
    rail.rest()
    kept = Dispute.objects.get(attempt=rail.attempt(intent))
    assert (kept.ticket, kept.status) == (found[0].ticket, DisputeStage.NEEDS_RESPONSE)


@scenario(
    Capability.APPEAL,
    "a lost dispute is appealed, once though the answer is lost: lost in the books until the provider looks again, and won",
)
def appealed(rail: Rail) -> None:
    attempt = rail.attempt(rail.ask())
    rail.rest()
    rail.words.lose(rail, rail.attempt(attempt.intent).provider_receipt)
    rail.rest()
    lost = Dispute.objects.get(attempt=attempt)
    assert (lost.status, lost.is_appealable, lost.lost_minor) == ("LOST", True, lost.withdrawn_minor)
    dispute_evidence.write(dispute_id=lost.id, texts={"text": "It came."}, actor=SYSTEM, now=rail.now)
    rail.spoil("appeal", {"action": "reset", "processed": True})
    rail.let_pass(timedelta(seconds=1))
    dispute_answers.appeal(dispute_id=lost.id, actor=SYSTEM, now=rail.now)
    rail.work()
    waits = Dispute.objects.get(id=lost.id)
    assert (waits.status, waits.is_appealing, waits.lost_minor) == ("LOST", True, lost.lost_minor)
    rail.rest(seconds=120)
    heard = Dispute.objects.get(id=lost.id)
    assert (heard.status, heard.lost_minor, heard.may_appeal) == ("UNDER_REVIEW", 0, False)
    rail.words.overrule(rail, lost.ticket)
    rail.rest()
    won = Dispute.objects.get(id=lost.id)
    assert (won.status, won.reinstated_minor, rail.sent("appeal")) == ("WON", lost.withdrawn_minor, 1)
