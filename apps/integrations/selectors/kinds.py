"""What people call the kinds and the states of calls to providers, and of callbacks from them."""

from collections.abc import Mapping

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.integrations.contracts import CallbackStatus, CallStatus
from apps.integrations.models import ProviderCallback

CALLS: Mapping[str, Promise] = {
    "oauth": _("Sign-in"),
    "stk_push": _("Prompt on a phone"),
    "stk_query": _("Question about a prompt"),
    "transaction_status": _("Question about a receipt"),
    "reversal": _("Reversal of a payment"),
    "c2b_register": _("Registration of addresses"),
    "account_balance": _("Question about the balance"),
    "qr": _("QR code"),
    "pull": _("List of movements"),
    "pull_register": _("Registration for lists"),
    "checkout": _("Payment page"),
    "session_query": _("Question about a payment page"),
    "charge": _("Charge of a saved method"),
    "order": _("Order"),
    "order_query": _("Question about an order"),
    "payment_query": _("Question about a payment"),
    "authorize": _("Hold of a sum"),
    "capture": _("Capture"),
    "release": _("Release of a held sum"),
    "void": _("Release of a held sum"),
    "refund": _("Refund"),
    "refund_query": _("Question about a refund"),
    "customer": _("Record of a payer"),
    "setup": _("Page to save a method"),
    "setup_query": _("Question about a page to save"),
    "method": _("Saving of a method"),
    "method_query": _("Question about a saved method"),
    "method_list": _("List of saved methods"),
    "forget": _("Forgetting of a method"),
    "dispute_query": _("Question about a dispute"),
    "dispute_list": _("List of disputes"),
    "evidence": _("Evidence for a dispute"),
    "file": _("File of evidence"),
    "dispute_accept": _("Giving up of a dispute"),
    "dispute_appeal": _("Appeal in a dispute"),
    "statement": _("List of movements"),
    "account": _("Question about the account"),
    "connect": _("Opening of a connected account"),
    "connect_link": _("Link for a party"),
    "connect_query": _("Question about a connected account"),
    "transfer": _("Transfer"),
    "transfer_query": _("Question about a transfer"),
    "transfer_reversal": _("Reversal of a transfer"),
    "certificate": _("Certificate of messages"),
    "webhook_check": _("Check of a message"),
}
CALLBACKS: Mapping[str, Promise] = {
    "collection": _("Answer to a prompt"),
    "status": _("Answer about a receipt"),
    "refund": _("Answer to a reversal"),
    "refund-status": _("Answer about a reversal"),
    "refund-timeout": _("Reversal not carried out in time"),
    "balance": _("Balance"),
    "balance-timeout": _("Balance not told in time"),
    "c2b": _("Notice of money"),
    "check": _("Check before money is taken"),
    "webhook": _("Signed message"),
}

CALL_STATES: Mapping[CallStatus, Promise] = {
    CallStatus.ANSWERED: _("Answered"),
    CallStatus.NO_ANSWER: _("No answer"),
    CallStatus.NOT_SENT: _("Not sent"),
}
CALLBACK_STATES: Mapping[CallbackStatus, Promise] = {
    CallbackStatus.RECEIVED: _("Received"),
    CallbackStatus.UNMATCHED: _("Unmatched"),
    CallbackStatus.APPLIED: _("Applied"),
    CallbackStatus.DUPLICATE: _("Duplicate"),
    CallbackStatus.FORGED: _("Forged"),
    CallbackStatus.MALFORMED: _("Malformed"),
    CallbackStatus.IGNORED: _("Ignored"),
}


def called(kind: str) -> str:
    """Return what people call a kind of call; one that has no words here is told by its own name."""
    return _words(CALLS, kind)


def told(kind: str) -> str:
    """Return what people call a kind of callback; kinds are parts of addresses, and strangers may make up any."""
    return _words(CALLBACKS, kind)


def named(callback: ProviderCallback) -> str:
    """Return how a callback is told from others: its kind, and when it came in the reader's zone."""
    at = formats.date_format(timezone.localtime(callback.received_at), "j M Y, H:i:s")
    return f"{told(callback.kind)}, {at}"


def _words(words: Mapping[str, Promise], kind: str) -> str:
    return str(words[kind]) if kind in words else kind.replace("_", " ").replace("-", " ").capitalize()
