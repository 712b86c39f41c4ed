"""The books."""

from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from apps.kit import ids
from apps.ledger import events
from apps.ledger.contracts import LateItems, Precondition
from apps.ledger.models import ChartLine, Period
from apps.ledger.selectors import accounts, explanations, plain_text, proofs
from apps.ledger.selectors import periods as stored
from apps.ledger.selectors import seals as chain
from apps.ledger.selectors.explanations import Explanation
from apps.ledger.selectors.plain_text import Syntax
from apps.ledger.services import chart_files, charts, opening_balances, reopenings, seals, verification
from apps.ledger.services import periods as books
from apps.tenancy.selectors import organisations
from treasury.operations.calls import Answer, Call, Row


def verify(_: Call) -> Answer:
    """Say what breaks an invariant, by row."""
    verdict = verification.verify()
    rows = [
        {
            "invariant": finding.invariant.value,
            "row": finding.row,
            "problem": finding.problem,
            "meaning": verification.MEANINGS[finding.invariant],
        }
        for finding in verdict.findings
    ]
    state = f"clean, {verification.HOLD}" if verdict.is_clean else "BROKEN"
    size = f"{verdict.transactions} transactions, {verdict.entries} entries, {verdict.accounts} accounts"
    return Answer(f"{state} ({size})", rows, is_wrong=not verdict.is_clean)


def seal(call: Call) -> Answer:
    """Seal what waits, and say by which hash somebody else can hold the books to it."""
    made = seals.make_now(actor=call.actor, reason=call.reason, now=call.now)
    rows = [
        {"seal": sealed.seq, "transactions": sealed.count, "seal_hash": f"0x{sealed.seal_hash.hex()}"}
        for sealed in made
    ]
    last = chain.last()
    hold = f"; seal {last.seq} has the hash {last.seal_hash}" if last else ""
    return Answer(f"{sum(sealed.count for sealed in made)} transactions were sealed{hold}", rows)


def prove(call: Call) -> Answer:
    proof = proofs.of(proofs.uid_of(call.given["transaction"]))
    return Answer(rows=[{"proof": proof}], document=proofs.as_text(proof))


def periods(_: Call) -> Answer:
    rows = [_row(period) for period in stored.stored()]
    first = stored.first_open_day()
    return Answer(f"open from {first} on" if first else "every day is open", rows)


def checklist(call: Call) -> Answer:
    """Say what a close waits for; something to look at where it waits."""
    found = _checklist(call)
    missing = [row for row in found if not row.is_met]
    sentence = f"{len(missing)} to do before it can be closed" if missing else "it can be closed"
    return Answer(sentence, [_said(row) for row in found], is_wrong=bool(missing))


def open_year(call: Call) -> Answer:
    month = call.given["first_month"]
    if month is not None:
        books.set_fiscal_year_start(month=month, actor=call.actor, reason=call.reason, now=call.now)
    opened = books.generate(year=call.given["year"], actor=call.actor, reason=call.reason, now=call.now)
    return Answer(f"{len(opened)} periods are there", [_row(period) for period in opened])


def sign_off(call: Call) -> Answer:
    signed = books.sign_off(
        kind=call.given["kind"],
        period_id=stored.named(call.given["period"]).uid,
        is_signed=not call.given["withdraw"],
        note=call.reason,
        actor=call.actor,
        now=call.now,
    )
    return Answer(f"{signed.kind} is {'signed off' if signed.is_signed else 'not signed off any more'}.")


def close(call: Call) -> Answer:
    """Close; where it is rehearsed, show what the close waits for."""
    waiting = checklist(call)
    if call.is_dry and waiting.is_wrong:
        return waiting
    closed = books.close(
        period_id=stored.named(call.given["period"]).uid,
        is_carrying_holds=call.given["carry_holds"],
        actor=call.actor,
        reason=call.reason,
        now=call.now,
    )
    rows = waiting.rows if call.is_dry else [_row(closed)]
    return Answer(f"Nothing can be dated {closed.end_date} or before any more.", rows)


def reopen(call: Call) -> Answer:
    period = stored.named(call.given["period"])
    asked = reopenings.ask(period_id=period.uid, reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{ids.encode('apr', asked)} waits for another person.")


def late_items(call: Call) -> Answer:
    policy = LateItems(call.given["policy"].upper())
    book = books.set_late_items(policy=policy, actor=call.actor, reason=call.reason, now=call.now)
    return Answer(f"late items: {book.late_items.lower()}")


def _checklist(call: Call) -> list[Precondition]:
    period = stored.named(call.given["period"])
    return books.checklist(period_id=period.uid, now=call.now, is_carrying_holds=call.given["carry_holds"])


def _said(row: Precondition) -> Row:
    return {"precondition": row.name, "met": row.is_met, "count": row.count, "finding": row.sentence}


def _row(period: Period) -> Row:
    return {
        "period": ids.encode(events.PERIOD_PREFIX, period.uid),
        "first_day": period.start_date,
        "last_day": period.end_date,
        "state": period.state.lower(),
        "revision": period.revision,
        "year_end": period.is_year_end,
        "closed_at": period.closed_at,
        "closed_by": period.closed_by,
        "checkpoint_hash": bytes(period.checkpoint_hash).hex() if period.checkpoint_hash else "",
    }


def export(call: Call) -> Answer:
    """Print what bean-check or hledger reads: every posted entry, and the balances that it must find."""
    as_of, known_at = _days(call)
    lines = list(plain_text.export(Syntax(call.given["syntax"]), as_of=as_of, known_at=known_at))
    return Answer(rows=[{"line": line} for line in lines], document="\n".join(lines))


def chart_install(call: Call) -> Answer:
    """Say which lines of the default chart were added, or, where it is rehearsed, would be."""
    there = set(ChartLine.objects.values_list("code", flat=True))
    added = charts.install(actor=call.actor, reason=call.reason, now=call.now)
    made = ChartLine.objects.exclude(code__in=there).order_by("code")
    rows: list[Row] = [
        {"code": line.code, "name": line.name, "type": line.type.lower(), "heading": line.is_heading}
        for line in made
    ]
    return Answer(f"{added} lines of the chart were added", rows)


def chart_export(_: Call) -> Answer:
    text = chart_files.as_csv()
    return Answer(rows=[{"line": line} for line in text.splitlines()], document=text)


def chart_import(call: Call) -> Answer:
    """Say what was changed, or, where it is rehearsed, what would be."""
    changes = chart_files.take_over(
        content=call.given["file"], actor=call.actor, reason=call.reason, now=call.now
    )
    rows = [
        {"row": own.row, "code": own.code, "change": own.change, "before": own.before, "after": own.after}
        for own in changes
    ]
    return Answer(f"{len(changes)} changes of the chart", rows)


def open_balances(call: Call) -> Answer:
    """Show the lines of the file; they are booked once another person has agreed."""
    lines = opening_balances.plan(content=call.given["file"])
    asked = opening_balances.ask(
        content=call.given["file"],
        voucher=call.given["voucher"],
        reason=call.reason,
        effective_date=call.given["date"],
        actor=call.actor,
        now=call.now,
    )
    rows = [
        {"account": str(own.account_id), "side": own.direction.name.lower(), "sum": str(own.money)}
        for own in lines
    ]
    return Answer(f"{ids.encode('apr', asked)} waits for another person.", rows)


def explain(call: Call) -> Answer:
    """Show what a figure, a transaction or the whole ledger rests on."""
    what, most = call.given["what"], call.given["limit"]
    as_of, known_at = _days(call)
    if what is None:
        found = list(islice(explanations.without_evidence(as_of=as_of, known_at=known_at), most + 1))
        more = f", of which {most} are shown" if len(found) > most else ""
        count = f"at least {len(found)}" if more else str(len(found))
        state = (
            f"nothing proves {count} transactions{more}" if found else "something proves every transaction"
        )
        return Answer(state, [row for own in found[:most] for row in _facts(own)], is_wrong=bool(found))
    if what.upper().startswith("LT-"):
        own = explanations.transaction(proofs.uid_of(what))
        return Answer(f"{own.number}: {own.description}, by {own.created_by}", _facts(own))
    figure = explanations.figure(
        accounts.by_code(what),
        since=call.given["since"] or as_of.replace(day=1),
        as_of=as_of,
        known_at=known_at,
        rows=most,
    )
    lines = {line.transaction_uid: line for line in figure.statement.lines}
    rows = [row for uid in lines for row in _facts(figure.explanations[uid])]
    more = "; there are more entries, ask for more with --limit" if figure.statement.next else ""
    return Answer(f"{figure.formula}{more}", rows)


def _days(call: Call) -> tuple[date, datetime]:
    """Return the day and the instant that were asked for: else today in the organisation's zone, and now."""
    today = call.now.astimezone(ZoneInfo(organisations.current().time_zone)).date()
    return call.given["as_of"] or today, call.given["known_at"] or call.now


def _facts(own: Explanation) -> list[Row]:
    """Return a row for each fact, and one that says what is lacking."""
    head = {"transaction": own.number, "date": own.effective_date}
    rows: list[Row] = [
        {
            **head,
            "rests_on": fact.kind.lower(),
            "at": fact.at,
            "id": fact.id,
            "sha256": fact.sha256,
            "says": fact.text,
        }
        for fact in own.facts
    ]
    if own.lack:
        rows.append({**head, "rests_on": "nothing", "at": None, "id": "", "sha256": "", "says": own.lack})
    return rows
