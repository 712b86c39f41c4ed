-- What no code path may do to an account of a party, a transfer or a reversal, psql included. Repeatable. {s} = quoted schema.
CREATE OR REPLACE FUNCTION {s}.disbursements_guard_account() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'disbursements: account % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.party_id <> OLD.party_id OR NEW.provider_account_id <> OLD.provider_account_id OR NEW.code <> OLD.code
     OR NEW.branch_id <> OLD.branch_id OR NEW.application_id <> OLD.application_id OR NEW.currency <> OLD.currency
     OR NEW.country <> OLD.country OR (OLD.ticket <> '' AND NEW.ticket <> OLD.ticket) THEN
    RAISE EXCEPTION 'disbursements: whose account % is and where is fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.judged_at IS NOT NULL AND (NEW.verdict_reason, NEW.verdict_by, NEW.verdict_approval_id, NEW.judged_at, NEW.failure_code)
       IS DISTINCT FROM (OLD.verdict_reason, OLD.verdict_by, OLD.verdict_approval_id, OLD.judged_at, OLD.failure_code) THEN
    RAISE EXCEPTION 'disbursements: what people said of account % stays', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.judged_at IS NULL AND NEW.judged_at IS NOT NULL AND NOT (
       OLD.status = 'UNKNOWN' AND NEW.status = 'FAILED' AND NEW.failure_code = 'not_opened'
       AND (NEW.verdict_approval_id, NEW.verdict_reason, NEW.verdict_by)
         = (OLD.verdict_approval_id, OLD.verdict_reason, OLD.verdict_by)
       AND EXISTS (SELECT FROM {s}.approvals_approvalrequest a WHERE a.id = NEW.verdict_approval_id
         AND a.kind = 'connected_account_verdict' AND a.subject_id = NEW.id AND a.status = 'APPROVED')) THEN
    RAISE EXCEPTION 'disbursements: people end account % as they agreed, and only while nobody knows', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.verdict_by <> '' AND NEW.verdict_by <> '' AND (NEW.verdict_reason, NEW.verdict_by, NEW.verdict_approval_id)
       IS DISTINCT FROM (OLD.verdict_reason, OLD.verdict_by, OLD.verdict_approval_id) THEN
    RAISE EXCEPTION 'disbursements: what people said of account % stays', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND OLD.status IN ('CLOSED', 'FAILED') THEN
    RAISE EXCEPTION 'disbursements: account % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.disbursements_guard_transfer() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'disbursements: transfer % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.connected_account_id <> OLD.connected_account_id OR NEW.provider_account_id <> OLD.provider_account_id
     OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency OR NEW.code <> OLD.code
     OR NEW.branch_id <> OLD.branch_id OR NEW.application_id <> OLD.application_id OR NEW.reference <> OLD.reference
     OR NEW.nonce IS DISTINCT FROM OLD.nonce THEN
    RAISE EXCEPTION 'disbursements: what transfer % asked for is fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.ticket <> '' AND NEW.ticket <> OLD.ticket) OR NEW.reversed_minor < OLD.reversed_minor
     OR (OLD.succeeded_at IS NOT NULL AND NEW.succeeded_at IS DISTINCT FROM OLD.succeeded_at) THEN
    RAISE EXCEPTION 'disbursements: ticket, success and what came back of transfer % are set once', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.judged_at IS NOT NULL AND (NEW.verdict, NEW.verdict_ticket, NEW.verdict_minor, NEW.verdict_reason, NEW.verdict_by,
       NEW.verdict_approval_id, NEW.judged_at) IS DISTINCT FROM (OLD.verdict, OLD.verdict_ticket, OLD.verdict_minor,
       OLD.verdict_reason, OLD.verdict_by, OLD.verdict_approval_id, OLD.judged_at) THEN
    RAISE EXCEPTION 'disbursements: what people said of transfer % stays', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.judged_at IS NULL AND NEW.judged_at IS NOT NULL AND NOT (
       OLD.status = 'UNKNOWN' AND NEW.verdict_approval_id = OLD.verdict_approval_id
       AND (NEW.verdict, NEW.verdict_ticket, NEW.verdict_minor, NEW.verdict_reason, NEW.verdict_by)
         IS NOT DISTINCT FROM (OLD.verdict, OLD.verdict_ticket, OLD.verdict_minor, OLD.verdict_reason, OLD.verdict_by)
       AND ((NEW.verdict = 'MADE' AND NEW.status = 'SUCCEEDED' AND NEW.ticket = NEW.verdict_ticket)
         OR (NEW.verdict = 'NOT_MADE' AND NEW.status = 'FAILED'))
       AND EXISTS (SELECT FROM {s}.approvals_approvalrequest a
         WHERE a.id = NEW.verdict_approval_id AND a.kind = 'transfer_verdict' AND a.subject_id = NEW.id AND a.status = 'APPROVED')) THEN
    RAISE EXCEPTION 'disbursements: people end transfer % as they agreed, and only while nobody knows', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.verdict_by <> '' AND NEW.verdict_by <> '' AND (NEW.verdict, NEW.verdict_ticket, NEW.verdict_minor, NEW.verdict_reason,
       NEW.verdict_by, NEW.verdict_approval_id) IS DISTINCT FROM (OLD.verdict, OLD.verdict_ticket, OLD.verdict_minor,
       OLD.verdict_reason, OLD.verdict_by, OLD.verdict_approval_id) THEN
    RAISE EXCEPTION 'disbursements: what people said of transfer % stays', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND OLD.status IN ('SUCCEEDED', 'FAILED', 'CANCELLED') THEN
    RAISE EXCEPTION 'disbursements: transfer % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.disbursements_guard_reversal() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'disbursements: reversal % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.transfer_id <> OLD.transfer_id OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency
     OR NEW.code <> OLD.code OR NEW.number <> OLD.number OR NEW.nonce IS DISTINCT FROM OLD.nonce
     OR (OLD.ticket <> '' AND NEW.ticket <> OLD.ticket) THEN
    RAISE EXCEPTION 'disbursements: what reversal % asked for is fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status = 'SUCCEEDED' AND NEW.returned_minor IS DISTINCT FROM OLD.returned_minor THEN
    RAISE EXCEPTION 'disbursements: what came back by reversal % is set once', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND OLD.status IN ('SUCCEEDED', 'FAILED', 'CANCELLED') THEN
    RAISE EXCEPTION 'disbursements: reversal % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE TRIGGER disbursements_guard BEFORE UPDATE OR DELETE ON {s}.disbursements_connectedaccount
  FOR EACH ROW EXECUTE FUNCTION {s}.disbursements_guard_account();
CREATE OR REPLACE TRIGGER disbursements_guard BEFORE UPDATE OR DELETE ON {s}.disbursements_transfer
  FOR EACH ROW EXECUTE FUNCTION {s}.disbursements_guard_transfer();
CREATE OR REPLACE TRIGGER disbursements_guard BEFORE UPDATE OR DELETE ON {s}.disbursements_transferreversal
  FOR EACH ROW EXECUTE FUNCTION {s}.disbursements_guard_reversal();
