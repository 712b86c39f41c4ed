"""Exchange rates, and what foreign money is worth by them."""

from datetime import date, datetime, timedelta

from apps.kit import ids
from apps.ledger.selectors import rates as stored
from apps.ledger.services import rate_fetches, rates, revaluations
from apps.ledger.services.revaluations import Valued
from treasury.operations.calls import Answer, ArgumentInvalid, Call

WAITS = "It is more than 5 % off the last one and waits for approval: {}."


def list_(call: Call) -> Answer:
    """Say which rate holds for each foreign currency of the book."""
    rows = [
        {
            "base": one.base,
            "quote": one.quote,
            "rate": one.rate.text if one.rate else "",
            "as_of": one.rate.as_of if one.rate else "",
            "source": one.rate.source if one.rate else "",
            "problem": one.problem,
        }
        for one in stored.standing(now=call.now)
    ]
    holding = sum(not row["problem"] for row in rows)
    return Answer(f"{holding} of {len(rows)} currencies have a rate", rows, is_wrong=holding < len(rows))


def record(call: Call) -> Answer:
    as_of = _instant(call) if call.given["as_of"] else call.now
    recorded = rates.record(
        base=call.given["base"],
        quote=call.given["quote"],
        rate=rates.parsed(call.given["rate"]),
        as_of=as_of,
        source=call.given["source"],
        actor=call.actor,
        now=call.now,
        reason=call.reason,
    )
    if recorded.approval_id is not None:
        return Answer(WAITS.format(ids.encode("apr", recorded.approval_id)))
    return Answer("It was recorded before." if recorded.is_replay else "It is recorded.")


def fetch(call: Call) -> Answer:
    sources = rate_fetches.request(actor=call.actor, reason=call.reason, now=call.now)
    if not sources:
        return Answer("No source has an address: set TREASURY_RATES_ECB_URL or one of its kind.")
    return Answer(f"Asked in the background: {', '.join(sources)}. Look with: fx list")


def value(call: Call) -> Answer:
    """Say what foreign money is worth at the end of a day; nothing is booked."""
    on = _day(call, "on") if call.given["on"] else call.now.date() - timedelta(days=1)
    valued = revaluations.value(on=on, now=call.now)
    return Answer(f"{len(valued)} accounts with foreign money at the end of {on}", _rows(valued))


def revalue(call: Call) -> Answer:
    on = _day(call, "on")
    revalued = revaluations.revalue(on=on, actor=call.actor, now=call.now, reason=call.reason)
    if revalued.is_replay:
        return Answer(f"{on} was revalued before: {len(revalued.booked)} transactions stand.")
    return Answer(
        f"{len(revalued.booked)} transactions of {on} were booked, and taken back next day",
        _rows(revalued.valued),
    )


def _rows(valued: tuple[Valued, ...] | list[Valued]) -> list[dict[str, object]]:
    return [
        {
            "account": one.holding.code,
            "balance": one.holding.net,
            "rate": one.rate.text,
            "worth": one.worth,
            "carried_at": one.holding.carried,
            "gain": one.gain,
        }
        for one in valued
    ]


def _day(call: Call, name: str) -> date:
    text = str(call.given[name])
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentInvalid(f"{text!r} is no day; write it as 2026-11-30.") from None


def _instant(call: Call) -> datetime:
    text = str(call.given["as_of"])
    try:
        as_of = datetime.fromisoformat(text)
    except ValueError:
        as_of = None
    if as_of is None or as_of.tzinfo is None:
        raise ArgumentInvalid(f"{text!r} is no instant; write it as 2026-11-30T09:30:00+03:00.")
    return as_of
