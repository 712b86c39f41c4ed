"""Scenarios of ways to pay that payers let us keep: the page, the question, the messages and the end, each going wrong; one page and one token come of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.integrations.ports import MethodStatus, SetupRequest
from apps.integrations.services import providers
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.payments.contracts.saving import SavedMethodStatus
from apps.payments.models import SavedMethod
from apps.payments.services import method_tokens, saved_methods, setups, sweeps
from tests.contract.catalogue import Capability, scenario
from tests.contract.collecting import UNDONE
from tests.contract.rails import WEB, Killed, Rail, die
from tests.contract.signing import HARMLESS
from tests.factories import saved_methods as factory
from tests.payments.conftest import told
from tests.payments.test_two_connections import at_once

AGAIN = 6 * 3600
"""Seconds after which a payer's page is asked after again, at the latest."""
OVER = timedelta(days=4)
"""After this no page takes anybody's word any more."""
INITIATED, SAVED = "payment_method_initiated", "payment_method_saved"
FAILED, FORGOTTEN = "payment_method_failed", "payment_method_forgotten"
KEPT = [INITIATED, SAVED]
BOTH = (True, False)
UNCLEAR = [{**answer, "processed": is_done} for is_done in BOTH for answer in UNDONE]
"""Answers that tell nothing, to what was carried out and to what was not."""
UNREAD = ({"action": "reset"}, {"action": "status", "status": 500}, {"action": "html_error"})

keeps = lambda name: scenario(Capability.METHOD, name)  # noqa: E731 (an abbreviation)


def begun(rail: Rail) -> SavedMethod:
    """Ask a payer to let a way to pay be kept, and send the request."""
    saved = wanted(rail)
    rail.work()
    return factory.reloaded(saved)


def wanted(rail: Rail) -> SavedMethod:
    """Ask a payer whom nobody has asked before, without sending yet."""
    request = factory.wanted(
        method=rail.words.method, currency=rail.words.currency, payer_reference=ids.code()
    )
    with clock.fixed(rail.now):
        return saved_methods.create(request=request, actor=SYSTEM, now=rail.now)


def agreed(rail: Rail, *asked: SavedMethod) -> None:
    """Have payers agree, each on his page, and wait until that is known."""
    for saved in asked:
        rail.words.keep(rail, factory.reloaded(saved).ticket)
    rail.rest(seconds=AGAIN)


def kept(rail: Rail) -> SavedMethod:
    """Return one whose payer has agreed."""
    saved = begun(rail)
    agreed(rail, saved)
    return factory.reloaded(saved)


def are_kept(rail: Rail, *asked: SavedMethod) -> bool:
    """Say whether these are kept, each by a token of its own and told once, and nothing moved."""
    found = [factory.reloaded(one) for one in asked]
    stand = {(one.status, *told(one.id)) for one in found}
    tokens = {method_tokens.opened(one).token for one in found} - {""}
    return stand == {(SavedMethodStatus.ACTIVE, *KEPT)} and len(tokens) == len(found) and not rail.rows()


def pages(rail: Rail) -> set[str]:
    """Return the provider's pages on which ways to pay are kept."""
    listed = rail.control("GET", f"/{rail.words.face}/{rail.words.pages}")[rail.words.pages]
    return {one["id"] for one in listed if one.get("mode", "setup") == "setup"}


def tokens(rail: Rail) -> int:
    """Return how many ways to pay the provider keeps."""
    return int(rail.control("GET", "/state")[rail.words.face]["objects"].get(rail.words.token, 0))


def told_of(rail: Rail, *asked: SavedMethod) -> list[dict[str, Any]]:
    """Have payers agree, and return what is told of that without bringing it; where that is nothing, once it has been asked after."""
    for saved in asked:
        rail.words.keep(rail, saved.ticket)
    rail.let_pass_seconds(3)
    came = rail.kept_back()
    if not came:
        rail.let_pass_seconds(AGAIN)
        with clock.fixed(rail.now):
            sweeps.run(now=rail.now)
        rail.work()
        rail.let_pass_seconds(3)
        came = rail.kept_back()
    assert came, "nobody tells of it"
    return came


@keeps("a payer agrees: his way to pay is known by a token alone, and told once")
def agrees(rail: Rail) -> None:
    before = pages(rail)
    saved = begun(rail)
    assert saved.status == SavedMethodStatus.PENDING
    assert pages(rail) - before == {saved.ticket}
    agreed(rail, saved)
    assert are_kept(rail, saved)


@keeps("a payer's bank refuses, or he never agrees: nothing is kept once his page has ended")
def never_agrees(rail: Rail) -> None:
    saved = begun(rail)
    rail.words.turn_down(rail, saved.ticket)
    rail.rest(seconds=AGAIN)
    assert factory.reloaded(saved).status == SavedMethodStatus.PENDING
    rail.let_pass(OVER)
    rail.rest()
    ended = factory.reloaded(saved)
    assert (ended.status, ended.failure_code, bool(ended.token_digest)) == ("FAILED", "expired", False)
    assert told(saved.id) == [INITIATED, FAILED]


@keeps("the provider refuses at once: nobody is shown a page, and nothing is sent again")
def refused_at_once(rail: Rail) -> None:
    before = pages(rail)
    for answer, reason in rail.words.refusals:
        rail.spoil("setup", answer)
        saved = begun(rail)
        assert (saved.status, saved.failure_code, told(saved.id)) == ("FAILED", reason, [FAILED])
    rail.rest()
    assert (rail.sent("setup"), pages(rail)) == (len(rail.words.refusals), before)


@keeps("no clear answer to the request for a page, made or not: sent again under its code, one page for each")
def page_unanswered(rail: Rail) -> None:
    before = pages(rail)
    for answer in UNCLEAR:
        rail.spoil("setup", answer)
    with rail.impatient():
        asked = [begun(rail) for _ in UNCLEAR]
    assert {(one.status, one.ticket) for one in asked} == {(SavedMethodStatus.UNKNOWN, "")}
    rail.rest()
    assert {factory.reloaded(one).status for one in asked} == {SavedMethodStatus.PENDING}
    assert pages(rail) - before == {factory.reloaded(one).ticket for one in asked}
    assert len(pages(rail) - before) == len(UNCLEAR)
    assert rail.sent("setup") == 2 * len(UNCLEAR)
    agreed(rail, *asked)
    assert are_kept(rail, *asked)


@keeps("too many requests for pages: asked for again after a while, and one page comes")
def page_throttled(rail: Rail) -> None:
    before = pages(rail)
    for code in ("429", "500.003.02"):
        rail.spoil("setup", {"action": "rate_limit", "code": code})
    saved = begun(rail)
    assert saved.status == SavedMethodStatus.REQUESTED
    rail.rest()
    assert (rail.sent("setup"), len(pages(rail) - before)) == (3, 1)
    agreed(rail, saved)
    assert are_kept(rail, saved)


@keeps("the same request for a page again, past every guard of ours: the same page")
def page_repeated(rail: Rail) -> None:
    before = pages(rail)
    port = providers.method(rail.account.id, now=rail.now)
    request = SetupRequest(ids.code(), f"{WEB}/back", f"{WEB}/back", rail.words.currency)
    tickets = [port.begin(request).value for _ in range(2)]
    assert pages(rail) - before == set(tickets)
    assert len(set(tickets)) == 1
    other = port.begin(replace(request, code=ids.code())).value
    assert other not in tickets


@keeps("every message of a way to pay is lost: the question finds that its payer has agreed")
def messages_lost(rail: Rail) -> None:
    saved = begun(rail)
    told_of(rail, saved)
    rail.rest(seconds=AGAIN)
    assert are_kept(rail, saved)


@keeps("messages of a way to pay come five times at once, and again when all is known: kept once")
def messages_doubled(rail: Rail) -> None:
    saved = begun(rail)
    came = told_of(rail, saved)
    stored = [rail.store(one) for one in came for _ in range(5)]
    at_once(*[lambda uid=uid: rail.read(uid) for uid in stored])
    rail.rest()
    assert are_kept(rail, saved)
    assert {rail.deliver(one) for one in came} <= HARMLESS
    rail.rest()
    assert {rail.verdict(uid) for uid in stored} <= HARMLESS
    assert are_kept(rail, saved)


@keeps("messages of ways to pay overtake each other: each finds its own")
def messages_overtake(rail: Rail) -> None:
    first, second = begun(rail), begun(rail)
    came = told_of(rail, first, second)
    assert {rail.deliver(one) for one in reversed(came)} <= HARMLESS
    rail.rest(seconds=AGAIN)
    assert are_kept(rail, first, second)


@keeps("the message that a payer has agreed comes before the answer with his page: kept all the same")
def message_first(rail: Rail) -> None:
    rail.spoil("setup", "callback_before_response")
    with rail.at("payments.after_method", rail.take):
        saved = begun(rail)
    rail.rest(seconds=AGAIN)
    if factory.reloaded(saved).status == SavedMethodStatus.PENDING:  # where nobody agrees of himself
        agreed(rail, saved)
    assert are_kept(rail, saved)


@keeps("a question after a way to pay, or what it makes, is not answered: asked again, and one token made")
def question_unanswered(rail: Rail) -> None:
    for kind in ("setup_query", "method"):
        for answer in (*UNREAD, *({**one, "processed": True} for one in UNREAD)):
            saved, before = begun(rail), tokens(rail)
            rail.words.keep(rail, saved.ticket)
            with rail.spoiled(kind, answer):
                rail.rest()
            assert factory.reloaded(saved).status == SavedMethodStatus.PENDING, (kind, answer)
            rail.rest(seconds=AGAIN)
            assert are_kept(rail, saved)
            assert tokens(rail) == before + 1


@scenario(
    Capability.METHOD,
    "the token expires while a way to pay is asked for, asked after or forgotten: another one is fetched, and all is done once",
    Capability.TOKEN,
)
def token_expires(rail: Rail) -> None:
    before = pages(rail), tokens(rail)
    for kind in ("setup", "method", "forget"):
        rail.spoil(kind, "expire_token")
    saved = begun(rail)
    assert (rail.sent("setup"), len(pages(rail) - before[0])) == (2, 1)
    agreed(rail, saved)
    assert are_kept(rail, saved)
    assert tokens(rail) == before[1] + 1
    saved_methods.forget(method_id=saved.id, actor=SYSTEM, now=rail.now)
    rail.work()
    assert (factory.reloaded(saved).status, tokens(rail)) == (SavedMethodStatus.FORGOTTEN, before[1])


@keeps(
    "the order to forget is not answered, carried out or not: given again until the provider says so, told once"
)
def forgetting_unanswered(rail: Rail) -> None:
    for answer in ({**one, "processed": is_done} for is_done in BOTH for one in UNREAD):
        saved = kept(rail)
        token = method_tokens.opened(saved).token
        rail.spoil("forget", answer)
        with rail.impatient(), clock.fixed(rail.now):
            saved_methods.forget(method_id=saved.id, actor=SYSTEM, now=rail.now)
            rail.work()
        assert factory.reloaded(saved).status == SavedMethodStatus.FORGETTING
        rail.rest()
        assert factory.reloaded(saved).status == SavedMethodStatus.FORGOTTEN
        assert told(saved.id) == [*KEPT, FORGOTTEN]
        told_now = providers.method(rail.account.id, now=rail.now).read(token)
        assert told_now.status is MethodStatus.DECLINED


@keeps("a worker dies before it asks for a page, or before it writes its address down: one page")
def worker_dies(rail: Rail) -> None:
    for point in ("payments.before_method", "payments.after_method"):
        before = pages(rail)
        saved = wanted(rail)
        with pytest.raises(Killed), rail.at(point, die):
            rail.work()
        assert factory.reloaded(saved).status == SavedMethodStatus.REQUESTED
        rail.rest(seconds=10)
        assert pages(rail) - before == {factory.reloaded(saved).ticket}
        agreed(rail, saved)
        assert are_kept(rail, saved)


@keeps("the job that asks for a page comes five times at once: asked for once")
def job_doubled(rail: Rail) -> None:
    saved = wanted(rail)
    rail.drop_jobs()
    at_once(*[lambda: setups.follow(method_id=saved.id, now=rail.now)] * 5)
    assert rail.sent("setup") == 1
    agreed(rail, saved)
    assert are_kept(rail, saved)
