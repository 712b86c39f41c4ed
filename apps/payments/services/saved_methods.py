"""Saved methods: ways to pay that payers let us keep are asked for, and forgotten again."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.integrations.ports import MethodPort
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import errors, ids, jobs
from apps.kit.actors import Actor
from apps.payments import events
from apps.payments.contracts import RAILS
from apps.payments.contracts.saving import NewSavedMethod, SavedMethodStatus
from apps.payments.models import SavedMethod
from apps.payments.services import method_tokens

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

CLOCK_SLACK = timedelta(minutes=5)


class SavingNotSupported(errors.Invalid):
    """No account of the branch keeps ways to pay by this method in this currency."""

    code = "saving_not_supported"
    title = "Saving not supported"


class ConsentInvalid(errors.Invalid):
    """Nobody has agreed in the future."""

    code = "consent_invalid"
    title = "Consent not valid"


@transaction.atomic
def create(*, request: NewSavedMethod, actor: Actor, now: datetime) -> SavedMethod:
    """
    Ask a payer to let us keep a way to pay; the provider is asked for its page by a worker after the commit.

    What the payer agreed to is kept as it was told, for good. Raises SavingNotSupported and ConsentInvalid.
    """
    account = _keeper(request)
    consent = request.consent
    if consent.given_at > now + CLOCK_SLACK:
        message = "The consent is of a time to come."
        raise ConsentInvalid(
            message, errors=[errors.FieldError("/consent/given_at", ConsentInvalid.code, message)]
        )
    saved = SavedMethod(
        branch_id=request.branch_id,
        application_id=request.application_id,
        provider=account.provider,
        provider_account=account,
        code=ids.code(),
        currency=request.currency,
        payer_reference=request.payer_reference,
        payer_name=request.payer_name,
        payer_email=request.payer_email,
        consent_text=consent.text,
        consent_use=consent.use.value,
        consent_at=consent.given_at,
        consent_address=consent.address or None,
        return_url=request.return_url,
        cancel_url=request.cancel_url,
        created_by=str(actor),
        created_at=now,
        next_query_at=now,
    )
    method_tokens.seal_customer(saved, _known_customer(saved))
    saved.save(force_insert=True)
    _record("payment_method.requested", saved, actor=actor, now=now)
    jobs.enqueue("payments.follow_method", method_id=saved.id)
    return saved


@transaction.atomic
def forget(*, method_id: UUID, actor: Actor, now: datetime, reason: str = "") -> SavedMethod:
    """
    Charge a saved method no more from now on, and have the provider forget it, until it says that it has.

    One whose payer has not agreed yet is forgotten as soon as he does. A repeat changes nothing. Raises NotFound.
    """
    saved = SavedMethod.objects.locked().filter(id=method_id).first()
    if saved is None:
        raise errors.NotFound("There is no such saved method.")
    if saved.forget_requested_at is not None or not (
        saved.is_open or saved.status == SavedMethodStatus.ACTIVE
    ):
        return saved
    saved.forget_requested_at, saved.forget_requested_by = now, str(actor)
    if saved.status == SavedMethodStatus.ACTIVE:
        saved.let_go(at=now)
        jobs.enqueue("payments.follow_method", method_id=saved.id)
    saved.save_progress()
    _record("payment_method.forget_requested", saved, actor=actor, now=now, reason=reason)
    return saved


def _keeper(request: NewSavedMethod) -> "ProviderAccount":
    """Return the account that keeps what the payer agrees to: the branch's own, else head office's."""
    provider = request.method.provider
    found = accounts.serving(branch_id=request.branch_id, provider=provider, currency=request.currency)
    if not found or not providers.offers(provider, MethodPort):
        message = f"No account of this branch saves {RAILS[request.method].name} in {request.currency}."
        pointer = "/currency" if providers.offers(provider, MethodPort) else "/method"
        raise SavingNotSupported(
            message, errors=[errors.FieldError(pointer, SavingNotSupported.code, message)]
        )
    return found[0]


def _known_customer(saved: SavedMethod) -> str:
    """Return the payer's token at the provider, where it keeps another way to pay of his; empty where it does not."""
    others = SavedMethod.objects.filter(
        application_id=saved.application_id,
        payer_reference=saved.payer_reference,
        provider_account_id=saved.provider_account_id,
        status=SavedMethodStatus.ACTIVE,
    )
    other = others.order_by("-id").first()
    return method_tokens.opened(other).customer if other else ""


def _record(action: str, saved: SavedMethod, *, actor: Actor, now: datetime, reason: str = "") -> None:
    records.write(
        action=action,
        object_type=events.methods.AGGREGATE,
        object_id=ids.encode("pm", saved.id),
        actor=actor,
        now=now,
        changes={"status": [None, saved.status], "use": [None, saved.consent_use]},
        reason=reason,
        branch=saved.branch_id,
    )
