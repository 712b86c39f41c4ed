"""Nouns of money: the books, providers, payments, refunds."""

from treasury.operations.registry.arguments import AS_OF, FILE, KNOWN_AT, LIMIT, day
from treasury.operations.verbs import Argument, Noun, Reach, Verb

OF_PAYMENT = Argument("payment", "its id (pi_…), reference, provider receipt or code")
OF_PERIOD = Argument("period", "its first month (2026-10), first day or id (per_…)")
OF_ACCOUNT = Argument("account", "the id of the provider account, or its paybill or till number")
CARRY_HOLDS = Argument("--carry-holds", "let open holds go on in the next period", {"action": "store_true"})

LEDGER = Noun(
    "ledger",
    "The books.",
    (
        Verb(
            name="verify",
            help="Recompute the invariants of the books from every entry and seal; takes no lock.",
            reach=Reach.EACH,
        ),
        Verb(
            name="seal",
            help="Seal what is booked and waits for the next minute's seal, and print the hashes of the seals.",
            reach=Reach.ONE,
            writes=True,
        ),
        Verb(
            name="prove",
            help="Print the proof that a transaction is in its seal, a file for tools/verify_proof.py.",
            reach=Reach.ONE,
            arguments=(Argument("transaction", "its number (LT-0482377) or id"),),
        ),
        Verb(
            name="periods",
            help="List the periods of the book, and which of them are closed.",
            reach=Reach.EACH,
        ),
        Verb(
            name="checklist",
            help="Say what the close of a period waits for.",
            reach=Reach.ONE,
            arguments=(OF_PERIOD, CARRY_HOLDS),
        ),
        Verb(
            name="open-year",
            help="Open the twelve months of the fiscal year that begins in this year.",
            reach=Reach.ONE,
            writes=True,
            arguments=(
                Argument("year", "the year in which it begins", {"type": int}),
                Argument(
                    "--first-month",
                    "the month in which every year begins (1 to 12); only before the first year is opened",
                    {"type": int},
                ),
            ),
        ),
        Verb(
            name="sign-off",
            help="Vouch for something that the close of a period waits for, or take that back.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(
                OF_PERIOD,
                Argument("kind", "suspense, revaluation, reconciliation, or what another part declares"),
                Argument("--withdraw", "take it back", {"action": "store_true"}),
            ),
        ),
        Verb(
            name="close",
            help="Close a period: nothing can be dated into it afterwards. Rehearsed, it shows what it waits for.",
            reach=Reach.ONE,
            writes=True,
            arguments=(OF_PERIOD, CARRY_HOLDS),
        ),
        Verb(
            name="reopen",
            help="Ask other people to agree that the last closed period is opened again.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(OF_PERIOD,),
        ),
        Verb(
            name="late-items",
            help="Say what becomes of a posting dated into a closed period: refused, or dated to the first open day.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(Argument("policy", "reject or next_open", {"choices": ["reject", "next_open"]}),),
        ),
        Verb(
            name="export",
            help="Print the books as plain-text accounting, which another program reads and checks.",
            reach=Reach.ONE,
            arguments=(
                Argument(
                    "--syntax",
                    "beancount (default) or hledger",
                    {"choices": ["beancount", "hledger"], "default": "beancount"},
                ),
                AS_OF,
                KNOWN_AT,
            ),
        ),
        Verb(
            name="chart-install",
            help="Lay the default chart out where an organisation began without one; lines that are there stay as they are.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
        ),
        Verb(
            name="chart-export",
            help="Print the chart of accounts as CSV, which chart-import reads.",
            reach=Reach.ONE,
        ),
        Verb(
            name="chart-import",
            help="Add, rename and move lines of the chart as a CSV or XLSX says, all or nothing; rehearse it to see what would change.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(FILE,),
        ),
        Verb(
            name="open-balances",
            help="Ask another person to agree to the opening balances of a CSV or XLSX; they become one transaction.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(
                FILE,
                Argument("--voucher", "the number of the paper, booked once", {"required": True}),
                Argument("--date", "the day that the balances stand at", {"type": day, "required": True}),
            ),
        ),
        Verb(
            name="explain",
            help="Show what a balance or a transaction rests on, down to the provider's words; or what rests on nothing.",
            reach=Reach.ONE,
            arguments=(
                Argument(
                    "what",
                    "an account's number (1010) or a transaction's (LT-0482377); without it, what nothing proves",
                    {"nargs": "?"},
                ),
                AS_OF,
                KNOWN_AT,
                Argument(
                    "--since", "the first day of the entries (default the first of the month)", {"type": day}
                ),
                LIMIT,
            ),
        ),
    ),
)
FX = Noun(
    "fx",
    "Exchange rates, and what foreign money is worth by them.",
    (
        Verb(
            name="list",
            help="Say which rate holds for each foreign currency of the book; one that is missing or too old is wrong.",
            reach=Reach.EACH,
        ),
        Verb(
            name="record",
            help="Record a rate; one that is more than 5 % off the last waits for approval.",
            reach=Reach.ONE,
            writes=True,
            arguments=(
                Argument("base", "the currency of which one unit is meant, as USD"),
                Argument("quote", "the currency in which it is worth the rate, as KES"),
                Argument("rate", "as 129.4567"),
                Argument("--source", "who says so, as CBK", {"required": True}),
                Argument("--as-of", "when, as 2026-11-30T09:30:00+03:00 (default now)", {"default": ""}),
            ),
        ),
        Verb(
            name="fetch",
            help="Have every source of rates asked in the background, as beat does every 3 hours.",
            reach=Reach.ONE,
            writes=True,
        ),
        Verb(
            name="value",
            help="Show what foreign money is worth at the end of a day, and what it is carried at; books nothing.",
            reach=Reach.EACH,
            arguments=(Argument("--on", "the day, as 2026-11-30 (default yesterday)", {"default": ""}),),
        ),
        Verb(
            name="revalue",
            help="Book the unrealised gains and losses of a day's end, and their reversal on the next day.",
            reach=Reach.ONE,
            writes=True,
            arguments=(Argument("on", "the day, as 2026-11-30"),),
        ),
    ),
)
PROVIDER = Noun(
    "provider",
    "Accounts at payment providers.",
    (
        Verb(
            name="list",
            help="List the accounts, and whether new payments use them.",
            reach=Reach.EACH,
        ),
        Verb(
            name="open",
            help="Let new payments use an account.",
            reach=Reach.ONE,
            writes=True,
            arguments=(OF_ACCOUNT,),
        ),
        Verb(
            name="close",
            help="Keep new payments away from an account; callbacks, questions and refunds of what is under way go on.",
            reach=Reach.ONE,
            writes=True,
            asks_why=True,
            arguments=(OF_ACCOUNT,),
        ),
    ),
)
PAYMENT = Noun(
    "payment",
    "Payments of payers.",
    (
        Verb(
            name="show",
            help="Show what became of a payment, fact by fact.",
            reach=Reach.ONE,
            arguments=(OF_PAYMENT,),
        ),
        Verb(
            name="verify",
            help="Ask the provider about a payment without an answer; the answer is booked when it comes.",
            reach=Reach.ONE,
            writes=True,
            arguments=(
                OF_PAYMENT,
                Argument("--receipt", "the provider's receipt that somebody holds against it"),
            ),
        ),
    ),
)
REFUND = Noun(
    "refund",
    "Money that goes back to payers.",
    (
        Verb(
            name="list",
            help="List refunds of which nobody knows, or in another state; the oldest first.",
            reach=Reach.EACH,
            arguments=(
                Argument(
                    "--status",
                    "unknown (default), awaiting_approval, requested, sending, pending, failed or succeeded",
                    {
                        "choices": [
                            "unknown",
                            "awaiting_approval",
                            "requested",
                            "sending",
                            "pending",
                            "failed",
                            "succeeded",
                        ],
                        "default": "unknown",
                    },
                ),
                LIMIT,
            ),
        ),
    ),
)
