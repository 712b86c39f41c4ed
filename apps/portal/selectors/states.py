"""The badge of every state that the portal shows: colour, icon and word, the same everywhere."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from apps.approvals.contracts import ApprovalStatus, Verdict
from apps.ledger.contracts import AccountStatus, PeriodState
from apps.ledger.selectors.handwritten import Outcome
from apps.payments.contracts import AttemptStatus, DisputeStatus, IntentStatus, RefundStatus
from apps.payments.contracts.listed import MATTERS, ListedMatter
from apps.portal.contracts import Badge, Tone

PENDING, DONE, HELD = Tone.PENDING, Tone.DONE, Tone.HELD
FAILED, UNKNOWN, QUIET = Tone.FAILED, Tone.UNKNOWN, Tone.QUIET

PAYMENT: Mapping[str, Badge] = {
    IntentStatus.REQUIRES_METHOD: Badge(QUIET, "edit", _("Not started")),
    IntentStatus.REQUIRES_CONFIRMATION: Badge(QUIET, "edit", _("Not started")),
    IntentStatus.PROCESSING: Badge(PENDING, "sync", _("Processing")),
    IntentStatus.ACTION_REQUIRED: Badge(HELD, "touch_app", _("Action needed")),
    IntentStatus.REQUIRES_CAPTURE: Badge(PENDING, "lock_clock", _("Authorized")),
    IntentStatus.UNKNOWN: Badge(UNKNOWN, "help", _("Unknown")),
    IntentStatus.SUCCEEDED: Badge(DONE, "check_circle", _("Succeeded")),
    IntentStatus.PARTIALLY_PAID: Badge(HELD, "contrast", _("Partly paid")),
    IntentStatus.IN_REVIEW: Badge(HELD, "policy", _("In review")),
    IntentStatus.FAILED: Badge(FAILED, "cancel", _("Failed")),
    IntentStatus.CANCELLED: Badge(QUIET, "block", _("Cancelled")),
    IntentStatus.EXPIRED: Badge(QUIET, "timer_off", _("Expired")),
}

ATTEMPT: Mapping[str, Badge] = {
    AttemptStatus.SENDING: Badge(PENDING, "schedule_send", _("Sending")),
    AttemptStatus.PENDING: Badge(PENDING, "hourglass_top", _("Pending")),
    AttemptStatus.ACTION_REQUIRED: Badge(HELD, "touch_app", _("Action needed")),
    AttemptStatus.AUTHORIZED: Badge(PENDING, "lock_clock", _("Authorized")),
    AttemptStatus.SUCCEEDED: Badge(DONE, "check_circle", _("Succeeded")),
    AttemptStatus.FAILED: Badge(FAILED, "cancel", _("Failed")),
    AttemptStatus.UNKNOWN: Badge(UNKNOWN, "help", _("Unknown")),
    AttemptStatus.MISMATCH: Badge(HELD, "difference", _("Mismatch")),
    AttemptStatus.CANCELLED: Badge(QUIET, "block", _("Cancelled")),
    AttemptStatus.EXPIRED: Badge(QUIET, "timer_off", _("Expired")),
}

REFUND: Mapping[str, Badge] = {
    RefundStatus.AWAITING_APPROVAL: Badge(HELD, "approval", _("Waits for approval")),
    RefundStatus.REQUESTED: Badge(PENDING, "schedule_send", _("To be sent")),
    RefundStatus.SENDING: Badge(PENDING, "schedule_send", _("Sending")),
    RefundStatus.PENDING: Badge(PENDING, "hourglass_top", _("Pending")),
    RefundStatus.UNKNOWN: Badge(UNKNOWN, "help", _("Unknown")),
    RefundStatus.SUCCEEDED: Badge(DONE, "undo", _("Refunded")),
    RefundStatus.FAILED: Badge(FAILED, "cancel", _("Failed")),
    RefundStatus.CANCELLED: Badge(QUIET, "block", _("Cancelled")),
}

DISPUTE: Mapping[str, Badge] = {
    DisputeStatus.INQUIRY: Badge(HELD, "contact_support", _("Inquiry")),
    DisputeStatus.NEEDS_RESPONSE: Badge(HELD, "gavel", _("Needs an answer")),
    DisputeStatus.SUBMITTED: Badge(PENDING, "schedule_send", _("Answer on its way")),
    DisputeStatus.UNDER_REVIEW: Badge(PENDING, "hourglass_top", _("Under review")),
    DisputeStatus.WON: Badge(DONE, "check_circle", _("Won")),
    DisputeStatus.LOST: Badge(FAILED, "cancel", _("Lost")),
    DisputeStatus.ACCEPTED: Badge(FAILED, "flag", _("Given up")),
    DisputeStatus.EXPIRED: Badge(FAILED, "timer_off", _("Not answered in time")),
    DisputeStatus.PREVENTED: Badge(QUIET, "block", _("Prevented")),
}
APPEALING = Badge(PENDING, "schedule_send", _("Appeal on its way"))
"""How a dispute is called that is lost, and whose appeal the provider has not confirmed."""

APPROVAL: Mapping[str, Badge] = {
    ApprovalStatus.PENDING: Badge(HELD, "hourglass_top", _("Waiting")),
    ApprovalStatus.APPROVED: Badge(DONE, "check_circle", _("Approved")),
    ApprovalStatus.REFUSED: Badge(FAILED, "cancel", _("Refused")),
    ApprovalStatus.EXPIRED: Badge(QUIET, "timer_off", _("Expired")),
    ApprovalStatus.WITHDRAWN: Badge(QUIET, "undo", _("Withdrawn")),
}

HANDWRITTEN: Mapping[str, Badge] = {
    Outcome.WAITING: Badge(HELD, "hourglass_top", _("Waiting")),
    Outcome.UNDERWAY: Badge(PENDING, "sync", _("On the way")),
    Outcome.BOOKED: Badge(DONE, "check_circle", _("Posted")),
    Outcome.FAILED: Badge(FAILED, "error", _("Not posted")),
    Outcome.REFUSED: Badge(FAILED, "cancel", _("Refused")),
    Outcome.EXPIRED: Badge(QUIET, "timer_off", _("Expired")),
    Outcome.WITHDRAWN: Badge(QUIET, "undo", _("Withdrawn")),
}
"""What became of a journal that a person asked for."""

VERDICT: Mapping[str, Badge] = {
    Verdict.APPROVED: Badge(DONE, "check_circle", _("Approved")),
    Verdict.REFUSED: Badge(FAILED, "cancel", _("Refused")),
}

CALLBACK: Mapping[str, Badge] = {
    "RECEIVED": Badge(PENDING, "inbox", _("Received")),
    "UNMATCHED": Badge(HELD, "link_off", _("Unmatched")),
    "APPLIED": Badge(DONE, "call_received", _("Applied")),
    "DUPLICATE": Badge(QUIET, "content_copy", _("Duplicate")),
    "FORGED": Badge(FAILED, "gpp_bad", _("Forged")),
    "MALFORMED": Badge(FAILED, "broken_image", _("Malformed")),
    "IGNORED": Badge(QUIET, "visibility_off", _("Ignored")),
}

LISTED: Mapping[str, Badge] = {
    ListedMatter.NOBODYS: Badge(HELD, "link_off", MATTERS[ListedMatter.NOBODYS]),
    ListedMatter.FEE_DIFFERS: Badge(HELD, "policy", MATTERS[ListedMatter.FEE_DIFFERS]),
    ListedMatter.OTHER: Badge(QUIET, "inbox", MATTERS[ListedMatter.OTHER]),
}

WEBHOOK: Mapping[str, Badge] = {
    "PENDING": Badge(PENDING, "hourglass_top", _("Pending")),
    "DELIVERED": Badge(DONE, "check_circle", _("Delivered")),
    "EXHAUSTED": Badge(FAILED, "cancel", _("Given up")),
    "CANCELLED": Badge(QUIET, "block", _("Cancelled")),
}

HANDLING: Mapping[str, Badge] = {
    "PENDING": Badge(PENDING, "sync", _("On the way")),
    "DONE": Badge(DONE, "check_circle", _("Done")),
    "DEAD": Badge(FAILED, "sync_problem", _("Stuck")),
    "SKIPPED": Badge(QUIET, "visibility_off", _("Skipped")),
}

JOB: Mapping[str, Badge] = {
    "QUEUED": Badge(PENDING, "hourglass_top", _("Waiting")),
    "RUNNING": Badge(PENDING, "sync", _("Running")),
    "STOPPING": Badge(HELD, "stop_circle", _("Stopping")),
    "SUCCEEDED": Badge(DONE, "check_circle", _("Done")),
    "FAILED": Badge(FAILED, "cancel", _("Failed")),
    "CANCELLED": Badge(QUIET, "block", _("Stopped")),
}

ACCOUNT: Mapping[str, Badge] = {
    AccountStatus.OPEN: Badge(DONE, "check_circle", _("Open")),
    AccountStatus.FROZEN: Badge(HELD, "ac_unit", _("Frozen")),
    AccountStatus.CLOSED: Badge(QUIET, "lock", _("Closed")),
}

PERIOD: Mapping[str, Badge] = {
    PeriodState.OPEN: Badge(PENDING, "lock_open", _("Open")),
    PeriodState.SOFT_CLOSED: Badge(HELD, "lock_clock", _("About to close")),
    PeriodState.CLOSED: Badge(DONE, "lock", _("Closed")),
}

CONDITION: Mapping[str, Badge] = {
    "MET": Badge(DONE, "check_circle", _("Met")),
    "SIGNED": Badge(DONE, "verified", _("Signed off")),
    "TO_DO": Badge(HELD, "pending", _("To do")),
}

SIGNATURE: Mapping[bool | None, Badge] = {
    True: Badge(DONE, "verified", _("Signature holds")),
    False: Badge(FAILED, "gpp_bad", _("Signature wrong")),
    None: Badge(QUIET, "help", _("Not checked")),
}
