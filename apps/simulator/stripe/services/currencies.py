"""Currencies as Stripe counts them: in the smallest unit, between a least and a largest charge."""

from decimal import ROUND_HALF_UP, Decimal

from apps.simulator.stripe.contracts import Account, StripeRefusal

WHOLE = frozenset(
    [
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    ]
)
THOUSANDTHS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
OTHERS = frozenset(
    [
        "aed",
        "aud",
        "brl",
        "bwp",
        "cad",
        "chf",
        "cny",
        "czk",
        "dkk",
        "egp",
        "etb",
        "eur",
        "gbp",
        "ghs",
        "hkd",
        "huf",
        "idr",
        "ils",
        "inr",
        "isk",
        "kes",
        "lkr",
        "mad",
        "mur",
        "mwk",
        "mxn",
        "mzn",
        "myr",
        "ngn",
        "nok",
        "nzd",
        "php",
        "pkr",
        "pln",
        "qar",
        "ron",
        "sar",
        "scr",
        "sek",
        "sgd",
        "thb",
        "try",
        "twd",
        "tzs",
        "ugx",
        "usd",
        "zar",
        "zmw",
    ]
)
KNOWN = WHOLE | THOUSANDTHS | OTHERS
LEAST = 50
LARGEST = 99_999_999


def digits(currency: str) -> int:
    """Return how many decimals the currency has."""
    return 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2


def shown(amount: int, currency: str) -> str:
    """Write an amount as a plain decimal text."""
    return f"{Decimal(amount).scaleb(-digits(currency)):.{digits(currency)}f}"


def check(amount: int, currency: str, *, param: str = "amount") -> None:
    """Refuse a charge that is too small or too large."""
    if amount < LEAST:
        raise StripeRefusal(
            400,
            f"Amount must be at least {shown(LEAST, currency)} {currency}",
            code="amount_too_small",
            param=param,
        )
    if amount > LARGEST:
        raise StripeRefusal(
            400,
            f"Amount must be no more than {shown(LARGEST, currency)} {currency}",
            code="amount_too_large",
            param=param,
        )


def settled(amount: int, currency: str, *, account: Account) -> tuple[int, Decimal | None]:
    """Return what an amount becomes in the account's currency, and by which rate where it is converted."""
    if currency == account.currency:
        return amount, None
    rate = Decimal(account.rates.get(currency, "1"))
    exact = Decimal(amount).scaleb(digits(account.currency) - digits(currency)) * rate
    return int(exact.to_integral_value(ROUND_HALF_UP)), rate
