"""The badge of every state that the portal shows: colour, icon and word, the same everywhere."""

from collections.abc import Mapping

from apps.approvals.contracts import ApprovalStatus, Verdict
from apps.ledger.contracts import AccountStatus
from apps.payments.contracts import AttemptStatus, IntentStatus, RefundStatus
from apps.portal.contracts import Badge, Tone

PENDING, DONE, HELD = Tone.PENDING, Tone.DONE, Tone.HELD
FAILED, UNKNOWN, QUIET = Tone.FAILED, Tone.UNKNOWN, Tone.QUIET

PAYMENT: Mapping[str, Badge] = {
    IntentStatus.REQUIRES_METHOD: Badge(QUIET, "edit", "Not started"),
    IntentStatus.REQUIRES_CONFIRMATION: Badge(QUIET, "edit", "Not started"),
    IntentStatus.PROCESSING: Badge(PENDING, "sync", "Processing"),
    IntentStatus.ACTION_REQUIRED: Badge(HELD, "touch_app", "Action needed"),
    IntentStatus.REQUIRES_CAPTURE: Badge(PENDING, "lock_clock", "Authorized"),
    IntentStatus.UNKNOWN: Badge(UNKNOWN, "help", "Unknown"),
    IntentStatus.SUCCEEDED: Badge(DONE, "check_circle", "Succeeded"),
    IntentStatus.PARTIALLY_PAID: Badge(HELD, "contrast", "Partly paid"),
    IntentStatus.IN_REVIEW: Badge(HELD, "policy", "In review"),
    IntentStatus.FAILED: Badge(FAILED, "cancel", "Failed"),
    IntentStatus.CANCELLED: Badge(QUIET, "block", "Cancelled"),
    IntentStatus.EXPIRED: Badge(QUIET, "timer_off", "Expired"),
}

ATTEMPT: Mapping[str, Badge] = {
    AttemptStatus.SENDING: Badge(PENDING, "schedule_send", "Sending"),
    AttemptStatus.PENDING: Badge(PENDING, "hourglass_top", "Pending"),
    AttemptStatus.ACTION_REQUIRED: Badge(HELD, "touch_app", "Action needed"),
    AttemptStatus.AUTHORIZED: Badge(PENDING, "lock_clock", "Authorized"),
    AttemptStatus.SUCCEEDED: Badge(DONE, "check_circle", "Succeeded"),
    AttemptStatus.FAILED: Badge(FAILED, "cancel", "Failed"),
    AttemptStatus.UNKNOWN: Badge(UNKNOWN, "help", "Unknown"),
    AttemptStatus.MISMATCH: Badge(HELD, "difference", "Mismatch"),
    AttemptStatus.CANCELLED: Badge(QUIET, "block", "Cancelled"),
    AttemptStatus.EXPIRED: Badge(QUIET, "timer_off", "Expired"),
}

REFUND: Mapping[str, Badge] = {
    RefundStatus.AWAITING_APPROVAL: Badge(HELD, "approval", "Waits for approval"),
    RefundStatus.REQUESTED: Badge(PENDING, "schedule_send", "To be sent"),
    RefundStatus.SENDING: Badge(PENDING, "schedule_send", "Sending"),
    RefundStatus.PENDING: Badge(PENDING, "hourglass_top", "Pending"),
    RefundStatus.UNKNOWN: Badge(UNKNOWN, "help", "Unknown"),
    RefundStatus.SUCCEEDED: Badge(DONE, "undo", "Refunded"),
    RefundStatus.FAILED: Badge(FAILED, "cancel", "Failed"),
    RefundStatus.CANCELLED: Badge(QUIET, "block", "Cancelled"),
}

APPROVAL: Mapping[str, Badge] = {
    ApprovalStatus.PENDING: Badge(HELD, "hourglass_top", "Waiting"),
    ApprovalStatus.APPROVED: Badge(DONE, "check_circle", "Approved"),
    ApprovalStatus.REFUSED: Badge(FAILED, "cancel", "Refused"),
    ApprovalStatus.EXPIRED: Badge(QUIET, "timer_off", "Expired"),
    ApprovalStatus.WITHDRAWN: Badge(QUIET, "undo", "Withdrawn"),
}

VERDICT: Mapping[str, Badge] = {
    Verdict.APPROVED: Badge(DONE, "check_circle", "Approved"),
    Verdict.REFUSED: Badge(FAILED, "cancel", "Refused"),
}

CALLBACK: Mapping[str, Badge] = {
    "RECEIVED": Badge(PENDING, "inbox", "Received"),
    "UNMATCHED": Badge(HELD, "link_off", "Unmatched"),
    "APPLIED": Badge(DONE, "call_received", "Applied"),
    "DUPLICATE": Badge(QUIET, "content_copy", "Duplicate"),
    "FORGED": Badge(FAILED, "gpp_bad", "Forged"),
    "MALFORMED": Badge(FAILED, "broken_image", "Malformed"),
    "IGNORED": Badge(QUIET, "visibility_off", "Ignored"),
}

WEBHOOK: Mapping[str, Badge] = {
    "PENDING": Badge(PENDING, "hourglass_top", "Pending"),
    "DELIVERED": Badge(DONE, "check_circle", "Delivered"),
    "EXHAUSTED": Badge(FAILED, "cancel", "Given up"),
    "CANCELLED": Badge(QUIET, "block", "Cancelled"),
}

HANDLING: Mapping[str, Badge] = {
    "PENDING": Badge(PENDING, "sync", "On the way"),
    "DONE": Badge(DONE, "check_circle", "Done"),
    "DEAD": Badge(FAILED, "sync_problem", "Stuck"),
    "SKIPPED": Badge(QUIET, "visibility_off", "Skipped"),
}

JOB: Mapping[str, Badge] = {
    "QUEUED": Badge(PENDING, "hourglass_top", "Waiting"),
    "RUNNING": Badge(PENDING, "sync", "Running"),
    "STOPPING": Badge(HELD, "stop_circle", "Stopping"),
    "SUCCEEDED": Badge(DONE, "check_circle", "Done"),
    "FAILED": Badge(FAILED, "cancel", "Failed"),
    "CANCELLED": Badge(QUIET, "block", "Stopped"),
}

ACCOUNT: Mapping[str, Badge] = {
    AccountStatus.OPEN: Badge(DONE, "check_circle", "Open"),
    AccountStatus.FROZEN: Badge(HELD, "ac_unit", "Frozen"),
    AccountStatus.CLOSED: Badge(QUIET, "lock", "Closed"),
}

SIGNATURE: Mapping[bool | None, Badge] = {
    True: Badge(DONE, "verified", "Signature holds"),
    False: Badge(FAILED, "gpp_bad", "Signature wrong"),
    None: Badge(QUIET, "help", "Not checked"),
}
