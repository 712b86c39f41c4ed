-- What no code path may do to a payment, psql included. Repeatable. {s} = quoted schema.
CREATE OR REPLACE FUNCTION {s}.payments_guard_intent() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE is_given_up boolean := FALSE;  -- a person closed its review, and nothing of its money is here any more
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'payments: intent % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency
     OR NEW.branch_id <> OLD.branch_id OR NEW.application_id <> OLD.application_id OR NEW.code <> OLD.code THEN
    RAISE EXCEPTION 'payments: the sum and the owner of intent % are fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.status = 'IN_REVIEW' AND NEW.status = 'FAILED' AND NEW.settled_at IS NULL THEN
    is_given_up := NOT EXISTS (SELECT FROM {s}.payments_paymentattempt a
      WHERE a.id = OLD.current_attempt_id AND a.is_in_suspense AND a.refunded_minor < a.received_minor
        AND NOT (a.provider_receipt = '' AND EXISTS (SELECT FROM {s}.payments_refund r WHERE r.attempt_id = a.id)));
  END IF;
  IF OLD.settled_at IS NOT NULL AND NEW.settled_at IS DISTINCT FROM OLD.settled_at AND NOT is_given_up THEN
    RAISE EXCEPTION 'payments: intent % is settled once', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND (
       OLD.status = 'SUCCEEDED'
       OR (OLD.status = 'PARTIALLY_PAID' AND NEW.status <> 'SUCCEEDED')
       OR (OLD.status = 'IN_REVIEW' AND NEW.status NOT IN ('SUCCEEDED', 'PARTIALLY_PAID') AND NOT is_given_up)
       OR (OLD.status IN ('FAILED', 'CANCELLED', 'EXPIRED') AND NEW.settled_at IS NULL)) THEN
    RAISE EXCEPTION 'payments: intent % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.paid_minor <> OLD.paid_minor AND NOT EXISTS (SELECT FROM {s}.payments_paymentattempt a
       WHERE a.id = NEW.current_attempt_id AND NOT a.is_in_suspense AND a.received_currency = OLD.currency
         AND a.received_minor = NEW.paid_minor - OLD.paid_minor) THEN
    RAISE EXCEPTION 'payments: what has paid intent % is what its attempts brought', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status = 'UNKNOWN' AND NEW.status IN ('FAILED', 'CANCELLED') THEN
    PERFORM FROM {s}.payments_paymentattempt a WHERE a.intent_id = OLD.id AND a.status = 'UNKNOWN';
    IF FOUND THEN
      RAISE EXCEPTION 'payments: intent % ends by its attempt, which nobody knows the end of', OLD.id
        USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.payments_guard_attempt() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE is_let_go boolean := FALSE;  -- money in suspense that it carried waits again under its own row
  has_gone boolean := FALSE;  -- its refund was carried out after all: what was taken from it goes back by it
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.surrendered_at IS NOT NULL AND NEW.surrendered_at IS NULL AND NEW.is_in_suspense THEN
    has_gone := EXISTS (SELECT FROM {s}.payments_inboundreceipt i
      WHERE i.provider = OLD.provider AND i.receipt = OLD.provider_receipt
        AND i.status = 'GIVING_BACK' AND i.attempt_id = OLD.id);
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.provider_receipt <> '' AND NEW.provider_receipt = '' AND OLD.is_in_suspense THEN
    is_let_go := EXISTS (SELECT FROM {s}.payments_inboundreceipt i
      WHERE i.provider = OLD.provider AND i.receipt = OLD.provider_receipt
        AND i.status = 'SUSPENSE' AND NEW.refunded_minor = 0 AND NEW.refund_pending_minor = 0);
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'payments: attempt % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.intent_id <> OLD.intent_id OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency
     OR NEW.code <> OLD.code OR NEW.callback_token <> OLD.callback_token
     OR NEW.provider_account_id <> OLD.provider_account_id OR NEW.saved_method_id IS DISTINCT FROM OLD.saved_method_id THEN
    RAISE EXCEPTION 'payments: what attempt % asked for is fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.surrendered_at IS DISTINCT FROM OLD.surrendered_at AND NOT has_gone AND (
       OLD.surrendered_at IS NOT NULL OR NOT OLD.is_in_suspense
       OR NOT EXISTS (SELECT FROM {s}.payments_inboundreceipt i
         WHERE i.provider = OLD.provider AND i.receipt = OLD.provider_receipt
           AND i.status = 'SUSPENSE' AND i.amount_minor = OLD.received_minor)) THEN
    RAISE EXCEPTION 'payments: the money of attempt % is taken from it once, into suspense', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.is_in_suspense AND NOT NEW.is_in_suspense AND EXISTS (SELECT FROM {s}.payments_dispute d
       WHERE d.attempt_id = OLD.id AND d.covered_minor > 0
         AND NOT EXISTS (SELECT FROM {s}.payments_inboundreceipt i WHERE i.taken_by_id = d.id)) THEN
    RAISE EXCEPTION 'payments: a lost dispute took the money of attempt % from suspense', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.ticket <> '' AND NEW.ticket <> OLD.ticket)
     OR (OLD.provider_receipt <> '' AND NEW.provider_receipt <> OLD.provider_receipt AND NOT is_let_go)
     OR (OLD.booked_at IS NOT NULL AND NEW.booked_at IS DISTINCT FROM OLD.booked_at)
     OR (OLD.settled_minor IS NOT NULL AND NEW.settled_minor IS DISTINCT FROM OLD.settled_minor)
     OR (NEW.refunded_minor < OLD.refunded_minor AND NEW.refunded_minor <> (SELECT coalesce(sum(r.amount_minor), 0)
       FROM {s}.payments_refund r WHERE r.attempt_id = OLD.id AND r.status = 'SUCCEEDED'))
     OR (NEW.disputed_minor <> OLD.disputed_minor AND NEW.disputed_minor <> (SELECT coalesce(sum(d.held_minor), 0)
       FROM {s}.payments_dispute d WHERE d.attempt_id = OLD.id)) THEN
    RAISE EXCEPTION 'payments: ticket, receipt and booking of attempt % are set once', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND (
       OLD.status IN ('SUCCEEDED', 'MISMATCH')
       OR (OLD.status IN ('FAILED', 'CANCELLED', 'EXPIRED') AND NEW.booked_at IS NULL)) THEN
    RAISE EXCEPTION 'payments: attempt % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.judged_at IS NOT NULL AND (NEW.verdict_reason, NEW.verdict_by, NEW.verdict_approval_id, NEW.judged_at, NEW.failure_code)
       IS DISTINCT FROM (OLD.verdict_reason, OLD.verdict_by, OLD.verdict_approval_id, OLD.judged_at, OLD.failure_code) THEN
    RAISE EXCEPTION 'payments: what people said of attempt % stays', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.judged_at IS NULL AND NEW.judged_at IS NOT NULL AND NOT (
       OLD.status = 'UNKNOWN' AND NEW.status = 'FAILED' AND NEW.failure_code = 'not_paid'
       AND (NEW.verdict_approval_id, NEW.verdict_reason, NEW.verdict_by)
         = (OLD.verdict_approval_id, OLD.verdict_reason, OLD.verdict_by)
       AND EXISTS (SELECT FROM {s}.approvals_approvalrequest a WHERE a.id = NEW.verdict_approval_id
         AND a.kind = 'payment_verdict' AND a.subject_id = NEW.intent_id AND a.status = 'APPROVED')) THEN
    RAISE EXCEPTION 'payments: people end attempt % as they agreed, and only while nobody knows', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.verdict_by <> '' AND NEW.verdict_by <> '' AND (NEW.verdict_reason, NEW.verdict_by, NEW.verdict_approval_id)
       IS DISTINCT FROM (OLD.verdict_reason, OLD.verdict_by, OLD.verdict_approval_id) THEN
    RAISE EXCEPTION 'payments: what people said of attempt % stays', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.payments_guard_refund() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'payments: refund % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.intent_id <> OLD.intent_id OR NEW.attempt_id <> OLD.attempt_id OR NEW.amount_minor <> OLD.amount_minor
     OR NEW.currency <> OLD.currency OR NEW.payment_receipt <> OLD.payment_receipt
     OR NEW.callback_token <> OLD.callback_token OR NEW.provider_account_id <> OLD.provider_account_id
     OR NEW.number <> OLD.number OR NEW.nonce IS DISTINCT FROM OLD.nonce THEN
    RAISE EXCEPTION 'payments: what refund % asked for is fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.ticket <> '' AND NEW.ticket <> OLD.ticket)
     OR (OLD.provider_receipt <> '' AND NEW.provider_receipt <> OLD.provider_receipt)
     OR (OLD.charge_minor IS NOT NULL AND NEW.charge_minor IS DISTINCT FROM OLD.charge_minor)
     OR (OLD.refunded_at IS NOT NULL AND NEW.refunded_at IS DISTINCT FROM OLD.refunded_at) THEN
    RAISE EXCEPTION 'payments: ticket, receipt, charge and success of refund % are set once', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND (
       OLD.status = 'CANCELLED' OR OLD.came_back_at IS NOT NULL
       OR (OLD.status = 'SUCCEEDED' AND NEW.came_back_at IS NULL)
       OR (OLD.status = 'FAILED' AND NEW.refunded_at IS NULL)) THEN
    RAISE EXCEPTION 'payments: refund % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.judged_at IS NOT NULL AND (NEW.verdict, NEW.verdict_receipt, NEW.verdict_reason, NEW.verdict_by,
       NEW.verdict_approval_id, NEW.judged_at) IS DISTINCT FROM (OLD.verdict, OLD.verdict_receipt, OLD.verdict_reason,
       OLD.verdict_by, OLD.verdict_approval_id, OLD.judged_at) THEN
    RAISE EXCEPTION 'payments: what people said of refund % stays', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.judged_at IS NULL AND NEW.judged_at IS NOT NULL AND NOT (
       OLD.status = 'UNKNOWN' AND NEW.verdict_approval_id = OLD.verdict_approval_id
       AND (NEW.verdict, NEW.verdict_receipt, NEW.verdict_reason, NEW.verdict_by)
         = (OLD.verdict, OLD.verdict_receipt, OLD.verdict_reason, OLD.verdict_by)
       AND ((NEW.verdict = 'GIVEN_BACK' AND NEW.status = 'SUCCEEDED' AND NEW.provider_receipt = NEW.verdict_receipt)
         OR (NEW.verdict = 'NOT_GIVEN_BACK' AND NEW.status = 'FAILED'))
       AND EXISTS (SELECT FROM {s}.approvals_approvalrequest a
         WHERE a.id = NEW.verdict_approval_id AND a.kind = 'refund_verdict' AND a.subject_id = NEW.id AND a.status = 'APPROVED')) THEN
    RAISE EXCEPTION 'payments: people end refund % as they agreed, and only while nobody knows', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.verdict_by <> '' AND NEW.verdict_by <> '' AND (NEW.verdict, NEW.verdict_receipt, NEW.verdict_reason, NEW.verdict_by,
       NEW.verdict_approval_id) IS DISTINCT FROM (OLD.verdict, OLD.verdict_receipt, OLD.verdict_reason, OLD.verdict_by,
       OLD.verdict_approval_id) THEN
    RAISE EXCEPTION 'payments: what people said of refund % stays', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.payments_guard_dispute() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE v_taken numeric;  -- the money of the receipt that says that this dispute took it
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'payments: dispute % is never deleted', OLD.ticket USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.provider <> OLD.provider OR NEW.provider_account_id <> OLD.provider_account_id OR NEW.ticket <> OLD.ticket
     OR NEW.branch_id <> OLD.branch_id OR NEW.application_id <> OLD.application_id OR NEW.currency <> OLD.currency
     OR (OLD.attempt_id IS NOT NULL AND (NEW.attempt_id IS DISTINCT FROM OLD.attempt_id
       OR NEW.intent_id IS DISTINCT FROM OLD.intent_id)) THEN
    RAISE EXCEPTION 'payments: what dispute % is about is fixed', OLD.ticket USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.moved_currency <> '' AND NEW.moved_currency <> OLD.moved_currency)
     OR NEW.withdrawn_minor < OLD.withdrawn_minor OR NEW.reinstated_minor < OLD.reinstated_minor
     OR NEW.reported_at < OLD.reported_at OR NEW.bookings < OLD.bookings
     OR ((NEW.withdrawn_minor, NEW.reinstated_minor, NEW.fee_minor, NEW.lost_minor)
         <> (OLD.withdrawn_minor, OLD.reinstated_minor, OLD.fee_minor, OLD.lost_minor) AND NEW.bookings = OLD.bookings) THEN
    RAISE EXCEPTION 'payments: what dispute % moved is booked in steps and never shrinks', OLD.ticket
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.covered_minor <> OLD.covered_minor THEN
    v_taken := (SELECT i.amount_minor FROM {s}.payments_inboundreceipt i WHERE i.taken_by_id = OLD.id);
    IF NEW.bookings = OLD.bookings OR (OLD.covered_minor > 0 AND NEW.covered_minor > 0)
       OR (NEW.covered_minor = 0 AND v_taken IS NOT NULL)
       OR (NEW.covered_minor > 0 AND NEW.covered_minor IS DISTINCT FROM coalesce(v_taken, (SELECT a.received_minor
         FROM {s}.payments_paymentattempt a WHERE a.id = NEW.attempt_id AND a.is_in_suspense AND a.received_minor = NEW.held_minor))) THEN
      RAISE EXCEPTION 'payments: what dispute % took from suspense is booked whole, once', OLD.ticket
        USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  IF NEW.status <> OLD.status AND OLD.closed_at IS NOT NULL AND NEW.reported_at = OLD.reported_at THEN
    RAISE EXCEPTION 'payments: only its provider takes dispute % from % to %', OLD.ticket, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.payments_guard_inbound() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE comes_back boolean := FALSE;  -- it could not be given back, or a person took it from its payment: nothing of it went
  stood_for boolean := FALSE;  -- it was taken for that of an attempt whose receipt nobody had told
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.status = 'MATCHED' AND NEW.status = 'MATCHED' AND OLD.attempt_id <> NEW.attempt_id THEN
    stood_for := EXISTS (SELECT FROM {s}.payments_paymentattempt a
      WHERE a.id = OLD.attempt_id AND a.provider_receipt <> OLD.receipt);
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.status = 'SUSPENSE' AND OLD.status IN ('GIVING_BACK', 'MATCHED', 'ASSIGNED', 'RETRACTED') THEN
    comes_back := EXISTS (SELECT FROM {s}.payments_paymentattempt a
      WHERE a.id = OLD.attempt_id AND ((a.is_in_suspense AND a.refunded_minor = 0 AND a.refund_pending_minor = 0)
        OR (OLD.booked_at IS NULL AND a.provider_receipt NOT IN ('', OLD.receipt))));
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.status = 'SUSPENSE' AND OLD.status = 'TAKEN_BACK' THEN
    comes_back := TRUE;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.taken_by_id IS NOT NULL AND OLD.taken_by_id IS DISTINCT FROM NEW.taken_by_id THEN
    PERFORM FROM {s}.payments_dispute d WHERE d.id = NEW.taken_by_id AND d.lost_minor > 0 AND d.covered_minor = 0
      AND d.payment_receipt = OLD.receipt AND d.currency = OLD.currency AND d.amount_minor >= OLD.amount_minor;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'payments: no lost dispute took receipt %', OLD.receipt USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'payments: receipt % is never deleted', OLD.receipt USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.provider_account_id <> OLD.provider_account_id OR NEW.branch_id <> OLD.branch_id OR NEW.receipt <> OLD.receipt
     OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency OR NEW.received_at <> OLD.received_at
     OR NOT NEW.sources @> OLD.sources THEN
    RAISE EXCEPTION 'payments: what arrived under receipt % is fixed', OLD.receipt USING ERRCODE = 'restrict_violation';
  END IF;
  IF ((NEW.booked_at IS DISTINCT FROM OLD.booked_at OR NEW.fee_minor IS DISTINCT FROM OLD.fee_minor)
       AND NOT (OLD.booked_at IS NULL AND (comes_back OR OLD.status = 'UNCONFIRMED')))
     OR (OLD.attempt_id IS NOT NULL AND NEW.attempt_id IS DISTINCT FROM OLD.attempt_id AND NOT comes_back AND NOT stood_for)
     THEN
    RAISE EXCEPTION 'payments: booking and payment of receipt % are set once', OLD.receipt
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND OLD.status NOT IN ('SUSPENSE', 'DUPLICATE_SUSPECTED', 'UNCONFIRMED') AND NOT comes_back THEN
    RAISE EXCEPTION 'payments: receipt % cannot go from % to %', OLD.receipt, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.payments_guard_listed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE v_progress text[] := ARRAY['status', 'matter', 'attempt_id', 'closed_at', 'closed_by', 'reason'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'payments: listed movement % is never deleted', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status <> 'OPEN' OR to_jsonb(NEW) - v_progress <> to_jsonb(OLD) - v_progress THEN
    RAISE EXCEPTION 'payments: what listed movement % is, and how it was closed, is fixed', OLD.number
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

-- A rule has its accounts from the transaction that makes it.
ALTER TABLE {s}.payments_routingrule ADD COLUMN IF NOT EXISTS xact xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE OR REPLACE FUNCTION {s}.payments_guard_routing_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE v_way_out text[] := ARRAY['is_active', 'retired_at'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'payments: routing rule % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT OLD.is_active OR NEW.is_active OR to_jsonb(NEW) - v_way_out <> to_jsonb(OLD) - v_way_out THEN
    RAISE EXCEPTION 'payments: routing rule % is only ever taken out of use, once', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.payments_guard_routing_target() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE v_rule uuid := CASE WHEN TG_OP = 'INSERT' THEN NEW.rule_id ELSE OLD.rule_id END;
BEGIN
  IF TG_OP <> 'INSERT'
     OR NOT EXISTS (SELECT FROM {s}.payments_routingrule r WHERE r.id = v_rule AND r.xact = pg_current_xact_id()) THEN
    RAISE EXCEPTION 'payments: the accounts of routing rule % are fixed', v_rule USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.payments_guard_saved_method() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE v_progress text[] := ARRAY['status', 'ticket', 'page_url', 'sealed_customer', 'sealed_token', 'token_digest', 'brand',
  'last4', 'expires', 'fingerprint', 'failure_code', 'failure_message', 'provider_code', 'next_query_at', 'query_started_at',
  'initiated_at', 'saved_at', 'forget_requested_at', 'forget_requested_by', 'forgotten_at', 'closed_at'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'payments: saved method % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF to_jsonb(NEW) - v_progress <> to_jsonb(OLD) - v_progress THEN
    RAISE EXCEPTION 'payments: what the payer of saved method % agreed to is fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.ticket <> '' AND NEW.ticket <> OLD.ticket)
     OR (OLD.token_digest <> '' AND NEW.token_digest <> OLD.token_digest)
     OR (OLD.saved_at IS NOT NULL AND NEW.saved_at IS DISTINCT FROM OLD.saved_at)
     OR (OLD.forget_requested_at IS NOT NULL AND NEW.forget_requested_at IS DISTINCT FROM OLD.forget_requested_at) THEN
    RAISE EXCEPTION 'payments: ticket, token and forgetting of saved method % are set once', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.status = 'FORGOTTEN' AND octet_length(NEW.sealed_token) > 0)
     OR (NEW.status <> OLD.status AND (
       OLD.status IN ('FORGOTTEN', 'FAILED')
       OR (OLD.status = 'FORGETTING' AND NEW.status <> 'FORGOTTEN')
       OR (OLD.status = 'ACTIVE' AND NEW.status NOT IN ('FORGETTING', 'FORGOTTEN')))) THEN
    RAISE EXCEPTION 'payments: saved method % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

-- Nobody is charged without being there but by his consent, and by who has it.
CREATE OR REPLACE FUNCTION {s}.payments_guard_saved_charge() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  IF NOT EXISTS (SELECT FROM {s}.payments_savedmethod m
      WHERE m.id = NEW.saved_method_id AND m.status = 'ACTIVE' AND m.consent_use = 'OFF_SESSION'
        AND m.application_id = NEW.application_id AND m.branch_id = NEW.branch_id
        AND m.provider_account_id = NEW.provider_account_id) THEN
    RAISE EXCEPTION 'payments: saved method % may not be charged by attempt %', NEW.saved_method_id, NEW.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE TRIGGER payments_guard_saved_method BEFORE UPDATE OR DELETE ON {s}.payments_savedmethod
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_saved_method();
CREATE OR REPLACE TRIGGER payments_guard_saved_charge BEFORE INSERT ON {s}.payments_paymentattempt
  FOR EACH ROW WHEN (NEW.saved_method_id IS NOT NULL) EXECUTE FUNCTION {s}.payments_guard_saved_charge();
CREATE OR REPLACE TRIGGER payments_guard_intent BEFORE UPDATE OR DELETE ON {s}.payments_paymentintent
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_intent();
CREATE OR REPLACE TRIGGER payments_guard_attempt BEFORE UPDATE OR DELETE ON {s}.payments_paymentattempt
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_attempt();
CREATE OR REPLACE TRIGGER payments_guard_refund BEFORE UPDATE OR DELETE ON {s}.payments_refund
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_refund();
CREATE OR REPLACE TRIGGER payments_guard_dispute BEFORE UPDATE OR DELETE ON {s}.payments_dispute
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_dispute();
CREATE OR REPLACE TRIGGER payments_guard_inbound BEFORE UPDATE OR DELETE ON {s}.payments_inboundreceipt
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_inbound();
CREATE OR REPLACE TRIGGER payments_guard_routing_rule BEFORE UPDATE OR DELETE ON {s}.payments_routingrule
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_routing_rule();
CREATE OR REPLACE TRIGGER payments_guard_routing_target BEFORE INSERT OR UPDATE OR DELETE ON {s}.payments_routingtarget
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_routing_target();
CREATE OR REPLACE TRIGGER payments_guard_listed BEFORE UPDATE OR DELETE ON {s}.payments_listedmovement
  FOR EACH ROW EXECUTE FUNCTION {s}.payments_guard_listed();
