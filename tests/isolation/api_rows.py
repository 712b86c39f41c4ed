"""
What each endpoint of the API answers to whom, written by hand: a new endpoint fails until it has a row here.

The keys that ask, and what is expected of each, in this order:

- ``own``: a key of the shop with the endpoint's scope and nothing else, about rows that the shop made at head office
- ``branch``: a key of the shop with every scope, bound to another branch
- ``application``: a key of another application with every scope

``200+`` is 200 with acme's canary in the answer, ``200`` is 200 without it. A key without the scope and a key of another
organisation need no column: every endpoint answers 403 and 401.

The chart, rates, periods, approval rules and whatever is booked belong to the organisation: another application sees
them. What an application itself wrote (payments, parties, webhooks, jobs, events, approvals it asked for) is its own.
"""

from dataclasses import dataclass

from tests.isolation import deeds, ledger_deeds
from tests.isolation.sending import NOTHING, Deed, says

CANARY = "acme-canary"


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint: what three keys get, what is sent, and the scopes that its own key needs beside the endpoint's."""

    own: str
    branch: str
    application: str
    sends: Deed = NOTHING
    also: tuple[str, ...] = ()


MINE = Row("200+", "404", "404")
"""One row that its application and branch alone see, with a text of theirs."""
MUTE = Row("200", "404", "404")
"""The same, but nothing in the answer could bear a canary."""
MINE_LISTED = Row("200+", "200", "200")
"""A list of such rows."""
MUTE_LISTED = Row("200", "200", "200")
"""A list of such rows in which nothing could bear a canary."""
BOOKED = Row("200+", "404", "200+")
"""What the organisation has booked at head office, whatever application did."""
BOOKED_LISTED = Row("200+", "200", "200+")

ROWS: dict[str, Row] = {
    # access
    "GET api-keys": Row("200", "200", "200"),
    "POST api-keys": Row("201", "201", "201", says(name="Till", scopes=["keys:write"])),
    "PATCH api-keys/{id}": Row("200", "404", "404", deeds.bound_key, also=("payments:read",)),
    "POST api-keys/{id}/rotate": Row("201", "404", "404", deeds.spare_key, also=("payments:read",)),
    "POST api-keys/{id}/revoke": Row("200", "404", "404", deeds.spare_key),
    "GET applications": Row("200+", "200+", "200"),
    "GET branches": BOOKED_LISTED,
    "GET branches/{id}": BOOKED,
    "PUT branches/by-external-id/{external_id}": Row("201+", "403", "201+", says(code="MSA", name=CANARY)),
    # approvals
    "GET approvals": MINE_LISTED,
    "GET approvals/{id}": MINE,
    "POST approvals/{id}/approve": Row("200+", "404", "404", deeds.approve),
    "POST approvals/{id}/refuse": Row("200+", "404", "404", deeds.refuse),
    "POST approvals/{id}/withdraw": Row("200+", "404", "404", deeds.withdraw),
    "POST approvals/{id}/amend": Row("200", "404", "404", deeds.amended_rule),
    "GET approval-delegations": Row("200+", "200", "200", deeds.delegation),
    "GET approval-delegations/{id}": Row("200+", "404", "404", deeds.delegation),
    "POST approval-delegations": Row("201+", "403", "201+", deeds.new_delegation),
    "POST approval-delegations/{id}/revoke": Row("200+", "404", "404", deeds.delegation),
    "GET approval-rules": Row("200", "200", "200"),
    "GET approval-rules/{id}": Row("200", "200", "200"),
    "POST approval-rules": Row("202", "403", "202", deeds.rule),
    "POST approval-rules/{id}/replace": Row("202", "404", "202", deeds.other_rule),
    "POST approval-rules/{id}/deactivate": Row("202", "404", "202", deeds.spare_rule),
    # events and webhooks
    "GET events": MINE_LISTED,
    "GET events/{id}": MINE,
    "GET sandbox-inboxes": Row("200+", "200+", "200"),
    "POST sandbox-inboxes": Row("201+", "201+", "201+", says(label=CANARY)),
    "GET sandbox-inboxes/{id}": Row("200+", "200+", "404"),
    "GET sandbox-inboxes/{id}/requests": Row("200", "200", "404"),
    "POST sandbox-inboxes/{id}/fail-next": Row("200+", "200+", "404", says(respond=500, times=1)),
    "DELETE sandbox-inboxes/{id}": Row("204", "204", "404"),
    "GET webhook-deliveries/{id}": MUTE,
    "POST webhook-deliveries/{id}/replay": MUTE,
    "GET webhook-endpoints": MINE_LISTED,
    "POST webhook-endpoints": Row(
        "201+", "201+", "201+", says(url="https://shop.example.com/hooks", description=CANARY)
    ),
    "GET webhook-endpoints/{id}": MINE,
    "GET webhook-endpoints/{id}/deliveries": MUTE,
    "POST webhook-endpoints/{id}/disable": MINE,
    "POST webhook-endpoints/{id}/enable": Row("200+", "404", "404", deeds.silenced_endpoint),
    "POST webhook-endpoints/{id}/rotate-secret": MINE,
    "DELETE webhook-endpoints/{id}": Row("204", "404", "404"),
    # jobs
    "POST exports": Row("202", "202", "202", says(source="payments"), ("payments:read",)),
    "GET jobs": Row("200+", "200", "200", also=("payments:read",)),
    "GET jobs/{id}": Row("200+", "404", "404", also=("payments:read",)),
    "GET jobs/{id}/result": Row("200+", "404", "404", also=("payments:read",)),
    "POST jobs/{id}/cancel": Row("200+", "404", "404", deeds.spare_job, ("payments:read",)),
    # ledger
    "GET ledger/accounts": BOOKED_LISTED,
    "GET ledger/accounts/{id}": BOOKED,
    "GET ledger/accounts/{id}/balance": Row("200", "404", "200"),
    "GET ledger/accounts/{id}/explanation": BOOKED,
    "GET ledger/accounts/{id}/statement": BOOKED,
    "POST ledger/exchanges": Row("201+", "404", "404", ledger_deeds.exchange),
    "GET ledger/holds": BOOKED_LISTED,
    "GET ledger/holds/{id}": BOOKED,
    "POST ledger/holds": Row("201+", "404", "404", ledger_deeds.hold),
    "POST ledger/holds/{id}/capture": Row("200+", "404", "403", ledger_deeds.capture),
    "POST ledger/holds/{id}/release": Row("200+", "404", "403", ledger_deeds.release),
    "POST ledger/journals": Row("202", "404", "202", ledger_deeds.journal),
    "GET ledger/periods": Row("200", "200", "200"),
    "GET ledger/periods/{id}": Row("200", "200", "200"),
    "GET ledger/periods/{id}/checklist": Row("200", "403", "200"),
    "POST ledger/periods/{id}/close": Row("202", "403", "202", ledger_deeds.close),
    "POST ledger/periods/{id}/reopen": Row("202", "403", "202", ledger_deeds.reopen),
    "POST ledger/periods/{id}/sign-off": Row("200+", "403", "200+", ledger_deeds.sign_off),
    "GET ledger/rates": Row("200+", "200+", "200+"),
    "POST ledger/rates": Row("201", "403", "201", ledger_deeds.rate),
    "GET ledger/rates/{id}": Row("200+", "200+", "200+"),
    "GET ledger/rates/latest": Row("200+", "200+", "200+"),
    "POST ledger/reports": Row("202", "202", "202", says(report="trial_balance"), ("ledger:read",)),
    "GET ledger/reports/balance-sheet": BOOKED_LISTED,
    "GET ledger/reports/changes": BOOKED_LISTED,
    "GET ledger/reports/general-ledger": BOOKED_LISTED,
    "GET ledger/reports/profit-and-loss": Row("200", "200", "200"),
    "GET ledger/reports/trial-balance": BOOKED_LISTED,
    "GET ledger/reports/without-evidence": BOOKED_LISTED,
    "GET ledger/transactions": BOOKED_LISTED,
    "POST ledger/transactions": Row("201+", "404", "404", ledger_deeds.post),
    "POST ledger/transactions/batch": Row("200+", "404", "404", ledger_deeds.post_batch),
    "GET ledger/transactions/{id}": BOOKED,
    "GET ledger/transactions/{id}/explanation": BOOKED,
    "GET ledger/transactions/{id}/proof": Row("200", "404", "200"),
    "POST ledger/transactions/{id}/reverse": Row("201+", "404", "403", ledger_deeds.reverse),
    # parties
    "GET parties": MINE_LISTED,
    "POST parties": Row("201+", "201+", "201+", says(kind="customer", display_name=CANARY)),
    "GET parties/{id}": MINE,
    "PATCH parties/{id}": Row("200+", "404", "404", says(version=1, display_name=CANARY)),
    "POST parties/{id}/archive": MINE,
    "PUT parties/by-external-id/{external_id}": Row(
        "201+", "201+", "201+", says(kind="customer", display_name=CANARY)
    ),
    # accounts with providers
    "GET provider-accounts": BOOKED_LISTED,
    "POST provider-accounts": Row("201+", "403", "201+", deeds.provider_account),
    "GET provider-accounts/{id}": BOOKED,
    "PATCH provider-accounts/{id}": Row("200+", "404", "200+", says(fee_bps=60)),
    "POST provider-accounts/{id}/enable": BOOKED,
    "POST provider-accounts/{id}/disable": BOOKED,
    "POST provider-accounts/{id}/test": Row("200", "404", "200"),
    "GET provider-accounts/{id}/standing": Row("200", "404", "200"),
    "POST provider-accounts/{id}/register-addresses": Row("202+", "404", "202+"),
    "POST provider-accounts/{id}/ask-balance": Row("202+", "404", "202+"),
    "POST provider-accounts/{id}/open-circuit": Row("200+", "404", "200+", deeds.circuit),
    "POST provider-accounts/{id}/close-circuit": Row("200+", "404", "200+", deeds.circuit),
    "GET provider-error-rules": Row("200+", "200+", "200+"),
    "POST provider-error-rules": Row("200+", "403", "200+", deeds.error_rule),
    "POST provider-error-rules/{id}/retire": Row("200+", "403", "200+", says(reason="Not needed any more")),
    "GET routing-rules": Row("200+", "200+", "200+"),
    "GET routing-rules/{id}": Row("200+", "200+", "200+"),
    "POST routing-rules": Row("201+", "201+", "201+", deeds.routing_rule),
    "POST routing-rules/{id}/replace": Row("201+", "403", "201+", deeds.other_routing_rule),
    "POST routing-rules/{id}/retire": Row("200+", "403", "200+", deeds.spare_routing_rule),
    "POST routing-rules/dry-run": Row("202", "202", "202"),
    # connected accounts and transfers; nobody answers for the provider here, which a link is asked of at once
    "GET connected-accounts": MUTE_LISTED,
    "POST connected-accounts": Row("201", "404", "404", deeds.connect),
    "GET connected-accounts/{id}": MUTE,
    "POST connected-accounts/{id}/link": Row("409", "404", "404"),
    "POST connected-accounts/{id}/refresh": Row("202", "404", "404"),
    "GET transfers": MINE_LISTED,
    "POST transfers": Row("201+", "404", "404", deeds.pay_party),
    "GET transfers/{id}": MINE,
    "POST transfers/{id}/reverse": Row("202+", "404", "404", deeds.made_transfer),
    # payments, refunds and their receipts
    "GET payments": MINE_LISTED,
    "POST payments": Row("201+", "201+", "201+", deeds.pay),
    "GET payments/disputes": MINE_LISTED,
    "GET payments/disputes/{id}": MINE,
    "GET payments/disputes/{id}/evidence": MINE,
    "POST payments/disputes/{id}/evidence": Row("200+", "404", "404", says(text=CANARY)),
    "POST payments/disputes/{id}/files": Row("201+", "404", "404", deeds.evidence_file),
    "DELETE payments/disputes/{id}/files": Row("204", "404", "404"),
    "POST payments/disputes/{id}/submit": Row("202+", "404", "404", deeds.drafted_dispute),
    "POST payments/disputes/{id}/accept": Row("202+", "404", "404", deeds.disputed),
    "POST payments/disputes/{id}/appeal": Row("202+", "404", "404", deeds.lost_dispute),
    "GET payments/{id}": MINE,
    "GET payments/{id}/attempts": Row("200", "404", "404"),
    "POST payments/bulk": Row("202", "202", "202", deeds.bulk),
    "GET payments/bulk/{id}": MUTE,
    "GET payments/bulk/{id}/items": MINE,
    "GET payments/methods": MINE_LISTED,
    "POST payments/methods": Row("201+", "201+", "201+", deeds.save_method),
    "GET payments/methods/{id}": MINE,
    "POST payments/methods/{id}/forget": Row("202+", "404", "404", deeds.saved_method),
    "POST payments/{id}/capture": Row("409", "404", "404", deeds.unconfirmed),
    "POST payments/{id}/cancel": Row("200+", "404", "404", deeds.unconfirmed),
    "POST payments/{id}/confirm": Row("200+", "404", "404", deeds.unconfirmed),
    "POST payments/{id}/pay-page": Row("201", "404", "404", deeds.unconfirmed),
    "DELETE payments/{id}/pay-page": Row("204", "404", "404", deeds.unconfirmed),
    "POST payments/{id}/verify": Row("202+", "404", "404", deeds.lost),
    "GET inbound-receipts": BOOKED_LISTED,
    "GET inbound-receipts/{id}": BOOKED,
    "POST inbound-receipts/{id}/assign": Row("200+", "404", "404", deeds.held),
    "GET payments/{object_id}/events": MINE,
    "GET refunds/{object_id}/events": MINE,
    "GET refunds": MINE_LISTED,
    "POST refunds": Row("201+", "404", "404", deeds.refund),
    "GET refunds/{id}": MINE,
    "POST refunds/{id}/verify": Row("202", "404", "404", deeds.lost_refund),
    "GET receipts": MINE_LISTED,
    "GET receipts/{id}": MINE,
    "GET receipts/{id}/pdf": MINE,
}
