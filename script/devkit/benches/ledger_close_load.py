"""
Closes the last month of the organisation that ledger_history has filled, with postings beside it; run as the role of the app.

Its only argument is the file to write the figures to. What stands there already stays beside them.
"""

import json
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402 (Django must be set up first)

from apps.access.services import applications  # noqa: E402
from apps.kit import clock, ids  # noqa: E402
from apps.kit.actors import PORTAL, SYSTEM  # noqa: E402
from apps.kit.money import Money  # noqa: E402
from apps.ledger.contracts import SIGN_OFFS, Draft, credit, debit  # noqa: E402
from apps.ledger.models import Account  # noqa: E402
from apps.ledger.selectors import periods as stored  # noqa: E402
from apps.ledger.services import journals, periods, refusals, seals  # noqa: E402
from apps.tenancy.selectors import organisations  # noqa: E402

SLUG = "history"
BETWEEN = 0.02


def main(output: Path) -> None:
    """Open and ready the month after the history's closed one, then time its list and its close."""
    organisation = organisations.everything().get(slug=SLUG)
    connection.set_tenant(organisation)
    applications.create(slug=PORTAL, name="Portal", actor=SYSTEM, now=clock.now())
    period_id = _open()
    for kind in SIGN_OFFS:
        periods.sign_off(kind=kind, period_id=period_id, is_signed=True, actor=SYSTEM, now=clock.now())
    seals.run(now=clock.now() + timedelta(minutes=1), is_thorough=True)
    waits: dict[str, list[float]] = {"booked": [], "refused": []}
    done = threading.Event()
    load = threading.Thread(target=_post, args=(organisation, waits, done))
    load.start()
    try:
        took = {
            "checklist_s": _seconds(lambda: periods.checklist(period_id=period_id, now=clock.now())),
            "close_s": _seconds(lambda: periods.close(period_id=period_id, actor=SYSTEM, now=clock.now())),
        }
    finally:
        done.set()
        load.join()
    longest = round(max(max(taken, default=0.0) for taken in waits.values()), 2)
    counts = {name: len(taken) for name, taken in waits.items()}
    figures = {**took, "longest_posting_s": longest, **counts}
    known = json.loads(output.read_text(encoding="utf-8"))
    output.write_text(json.dumps({**known, **figures}), encoding="utf-8")


def _open():
    last = stored.last_closed()
    assert last is not None
    first, end = last.end_date + timedelta(days=1), clock.now().date() - timedelta(days=1)
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open_period(%s, %s, %s, false)", [ids.new(), first, end])
    opened = stored.of_day(end)
    assert opened is not None
    return opened.uid


def _post(organisation, waits: list[float], done: threading.Event) -> None:
    """Book one transfer after another, dated today, and keep how long each took, or waited until it was told to try again."""
    connection.set_tenant(organisation)
    debited, credited = (account.ref for account in Account.objects.order_by("id")[:2])
    while not done.is_set():
        draft = Draft(
            key=f"bench:{ids.new()}",
            description="Bench",
            source_type="bench",
            source_id=ids.new(),
            legs=(debit(debited, Money(1, debited.currency)), credit(credited, Money(1, debited.currency))),
        )
        start = time.perf_counter()
        try:
            journals.post(draft=draft, actor=SYSTEM, now=clock.now())
        except refusals.LedgerBusy:
            waits["refused"].append(time.perf_counter() - start)
        else:
            waits["booked"].append(time.perf_counter() - start)
        time.sleep(BETWEEN)
    connection.close()


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return round(time.perf_counter() - start, 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
