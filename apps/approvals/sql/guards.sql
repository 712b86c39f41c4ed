-- What no code path may do to an approval, psql included. Repeatable. {s} = quoted schema.
CREATE OR REPLACE FUNCTION {s}.approvals_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  RAISE EXCEPTION 'approvals: %.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $f$;

CREATE OR REPLACE FUNCTION {s}.approvals_guard_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'approvals: rule % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT OLD.is_active
     OR ROW(NEW.kind, NEW.branch_id, NEW.currency, NEW.minimum_minor, NEW.maximum_minor, NEW.priority, NEW.window_hours, NEW.window_by,
            NEW.remind_after_hours, NEW.escalate_after_hours, NEW.escalate_roles)
     IS DISTINCT FROM ROW(OLD.kind, OLD.branch_id, OLD.currency, OLD.minimum_minor, OLD.maximum_minor, OLD.priority, OLD.window_hours,
            OLD.window_by, OLD.remind_after_hours, OLD.escalate_after_hours, OLD.escalate_roles) THEN
    RAISE EXCEPTION 'approvals: rule % is only ever taken out of use', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.approvals_guard_delegation() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'approvals: delegation % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.revoked_at IS NOT NULL OR ROW(NEW.delegator_id, NEW.delegate_id, NEW.application_id, NEW.kinds, NEW.currency, NEW.maximum_minor, NEW.starts_at, NEW.ends_at, NEW.reason)
     IS DISTINCT FROM ROW(OLD.delegator_id, OLD.delegate_id, OLD.application_id, OLD.kinds, OLD.currency, OLD.maximum_minor, OLD.starts_at, OLD.ends_at, OLD.reason) THEN
    RAISE EXCEPTION 'approvals: delegation % is only ever revoked', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE FUNCTION {s}.approvals_guard_request() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'approvals: request % is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'PENDING' THEN
      RAISE EXCEPTION 'approvals: request % begins pending', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.status <> 'PENDING' THEN
    RAISE EXCEPTION 'approvals: request % is % and stays so', OLD.id, OLD.status USING ERRCODE = 'restrict_violation';
  END IF;
  IF ROW(NEW.kind, NEW.subject_id, NEW.branch_id, NEW.application_id, NEW.requester, NEW.created_at, NEW.expires_at)
     IS DISTINCT FROM ROW(OLD.kind, OLD.subject_id, OLD.branch_id, OLD.application_id, OLD.requester, OLD.created_at, OLD.expires_at) THEN
    RAISE EXCEPTION 'approvals: what request % is about is fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.payload_version NOT IN (OLD.payload_version, OLD.payload_version + 1)
     OR (NEW.payload_version = OLD.payload_version
         AND ROW(NEW.payload_hash, NEW.amount_minor, NEW.currency, NEW.step_count)
             IS DISTINCT FROM ROW(OLD.payload_hash, OLD.amount_minor, OLD.currency, OLD.step_count)) THEN
    RAISE EXCEPTION 'approvals: request % changes by a new version', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status = 'APPROVED' AND (
       NOT EXISTS (SELECT 1 FROM approvals_requestedstep s
                   WHERE s.request_id = NEW.id AND s.payload_version = NEW.payload_version)
       OR EXISTS (SELECT 1 FROM approvals_requestedstep s
                  WHERE s.request_id = NEW.id AND s.payload_version = NEW.payload_version
                    AND s.needed > (SELECT count(DISTINCT d.person) FROM approvals_approvaldecision d
                                    WHERE d.request_id = NEW.id AND d.payload_version = NEW.payload_version
                                      AND d.step = s.sequence AND d.verdict = 'APPROVED'))) THEN
    RAISE EXCEPTION 'approvals: request % lacks approvals', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

-- Whether a person made a row that a version names, was the last person to change it before the version was made, or has
-- changed it since. Who only reads leaves records too, which end in what he did.
CREATE OR REPLACE FUNCTION {s}.approvals_has_touched(request uuid, version integer, whom text) RETURNS boolean
LANGUAGE sql STABLE COST 10000 SET search_path = pg_catalog, {s}, pg_temp AS $f$
  SELECT whom <> '' AND EXISTS (
    SELECT 1 FROM approvals_namedrow n
    WHERE n.request_id = request AND n.payload_version = version AND (n.maker = whom OR EXISTS (
      SELECT 1 FROM audit_auditrecord a
      WHERE a.object_type = n.object_type AND a.object_id = n.object_id AND a.person = whom
        AND a.action !~ '(viewed|read|exported|downloaded)$'
        AND (a.occurred_at >= n.created_at
          OR NOT EXISTS (SELECT 1 FROM audit_auditrecord b
                         WHERE b.object_type = n.object_type AND b.object_id = n.object_id AND b.person NOT IN ('', whom)
                           AND b.action !~ '(viewed|read|exported|downloaded)$'
                           AND b.occurred_at > a.occurred_at AND b.occurred_at < n.created_at)
          OR NOT EXISTS (SELECT 1 FROM audit_auditrecord b
                         WHERE b.object_type = n.object_type AND b.object_id = n.object_id
                           AND b.action !~ '(viewed|read|exported|downloaded)$'
                           AND (b.occurred_at, b.id) < (a.occurred_at, a.id))))))
$f$;

CREATE OR REPLACE FUNCTION {s}.approvals_guard_decision() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE asked record;
BEGIN
  SELECT r.* INTO asked FROM approvals_approvalrequest r WHERE r.id = NEW.request_id FOR UPDATE;
  IF asked.status <> 'PENDING' OR NEW.decided_at >= asked.expires_at THEN
    RAISE EXCEPTION 'approvals: request % takes no decision any more', NEW.request_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.payload_version <> asked.payload_version OR NEW.payload_hash <> asked.payload_hash
     OR NEW.step <> asked.current_step THEN
    RAISE EXCEPTION 'approvals: request % has changed', NEW.request_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM approvals_approvalversion v
             WHERE v.request_id = NEW.request_id AND v.maker <> '' AND v.maker IN (NEW.person, NEW.on_behalf_of)) THEN
    RAISE EXCEPTION 'approvals: the maker of request % does not decide it', NEW.request_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM approvals_approvaldecision d
             WHERE d.request_id = NEW.request_id AND d.payload_version = NEW.payload_version
               AND (d.on_behalf_of = NEW.person OR d.person = NEW.on_behalf_of)) THEN
    RAISE EXCEPTION 'approvals: a person decides request % once, whoever does it in his name', NEW.request_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.delegation_id IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM approvals_approvaldelegation g JOIN access_membership m ON m.id = g.delegator_id
       WHERE g.id = NEW.delegation_id AND g.delegate_id = NEW.membership_id AND m.user_id::text = NEW.on_behalf_of
         AND m.is_active AND g.revoked_at IS NULL AND NEW.decided_at >= g.starts_at AND NEW.decided_at < g.ends_at
         AND (g.application_id IS NULL OR g.application_id = asked.application_id)
         AND (cardinality(g.kinds) = 0 OR asked.kind = ANY (g.kinds))
         AND (g.maximum_minor IS NULL OR (asked.currency = g.currency AND asked.amount_minor <= g.maximum_minor))) THEN
    RAISE EXCEPTION 'approvals: nobody delegated request % so', NEW.request_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF approvals_has_touched(NEW.request_id, NEW.payload_version, NEW.person)
     OR approvals_has_touched(NEW.request_id, NEW.payload_version, NEW.on_behalf_of) THEN
    RAISE EXCEPTION 'approvals: who changed what request % names does not decide it', NEW.request_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM approvals_requestedstep s
                 WHERE s.request_id = NEW.request_id AND s.payload_version = NEW.payload_version
                   AND s.sequence = NEW.step
                   AND (NEW.role = ANY (s.roles)
                        OR (NEW.role = ANY (s.further_roles)
                            AND NEW.decided_at >= asked.step_began_at + make_interval(hours => s.further_after_hours)))) THEN
    RAISE EXCEPTION 'approvals: the role % does not decide this step of request %', NEW.role, NEW.request_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE OR REPLACE TRIGGER approvals_guard_rule BEFORE UPDATE OR DELETE ON {s}.approvals_approvalrule
  FOR EACH ROW EXECUTE FUNCTION {s}.approvals_guard_rule();
CREATE OR REPLACE TRIGGER approvals_guard_delegation BEFORE UPDATE OR DELETE ON {s}.approvals_approvaldelegation
  FOR EACH ROW EXECUTE FUNCTION {s}.approvals_guard_delegation();
CREATE OR REPLACE TRIGGER approvals_guard_request BEFORE INSERT OR UPDATE OR DELETE ON {s}.approvals_approvalrequest
  FOR EACH ROW EXECUTE FUNCTION {s}.approvals_guard_request();
CREATE OR REPLACE TRIGGER approvals_guard_decision BEFORE INSERT ON {s}.approvals_approvaldecision
  FOR EACH ROW EXECUTE FUNCTION {s}.approvals_guard_decision();
CREATE OR REPLACE TRIGGER approvals_rule_step_append_only BEFORE UPDATE OR DELETE ON {s}.approvals_approvalstep
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.approvals_refuse();
CREATE OR REPLACE TRIGGER approvals_version_append_only BEFORE UPDATE OR DELETE ON {s}.approvals_approvalversion
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.approvals_refuse();
CREATE OR REPLACE TRIGGER approvals_step_append_only BEFORE UPDATE OR DELETE ON {s}.approvals_requestedstep
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.approvals_refuse();
CREATE OR REPLACE TRIGGER approvals_decision_append_only BEFORE UPDATE OR DELETE ON {s}.approvals_approvaldecision
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.approvals_refuse();
CREATE OR REPLACE TRIGGER approvals_named_row_append_only BEFORE UPDATE OR DELETE ON {s}.approvals_namedrow
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.approvals_refuse();
CREATE OR REPLACE TRIGGER approvals_counteddeed_append_only BEFORE UPDATE OR DELETE ON {s}.approvals_counteddeed
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.approvals_refuse();
CREATE OR REPLACE TRIGGER approvals_splitpart_append_only BEFORE UPDATE OR DELETE ON {s}.approvals_splitpart
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.approvals_refuse();
CREATE OR REPLACE TRIGGER approvals_approvalreminder_append_only BEFORE UPDATE OR DELETE ON {s}.approvals_approvalreminder
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.approvals_refuse();
