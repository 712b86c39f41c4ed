-- What holds for the chart of accounts, whoever writes it. Repeatable. {s} is the quoted schema.
-- Errors: LG010 never deleted, LG050 a line that cannot be so.

-- One change of the chart at a time, and none beside the opening of an account: the lock of ledger_open_account.
CREATE OR REPLACE FUNCTION {s}.ledger_fence_chart() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  PERFORM pg_advisory_xact_lock(7402, 'ledger_account'::regclass::oid::integer);
  RETURN NULL;
END $body$;

CREATE OR REPLACE FUNCTION {s}.ledger_guard_chart_line() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.id, NEW.code, NEW.type, NEW.role, NEW.is_heading, NEW.width)
     IS DISTINCT FROM (OLD.id, OLD.code, OLD.type, OLD.role, OLD.is_heading, OLD.width)
     AND EXISTS (SELECT FROM ledger_account WHERE line_id = OLD.id) THEN
    RAISE EXCEPTION 'line % has accounts: it keeps its code, type, role and width', OLD.code USING ERRCODE = 'LG050';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.id, NEW.type, NEW.is_heading) IS DISTINCT FROM (OLD.id, OLD.type, OLD.is_heading)
     AND EXISTS (SELECT FROM ledger_chartline WHERE parent_id = OLD.id) THEN
    RAISE EXCEPTION 'heading % has lines below it: it keeps its type', OLD.code USING ERRCODE = 'LG050';
  END IF;
  IF NEW.parent_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM ledger_chartline WHERE id = NEW.parent_id AND is_heading AND type = NEW.type
  ) THEN
    RAISE EXCEPTION 'line % stands below a heading of its own type only', NEW.code USING ERRCODE = 'LG050';
  END IF;
  IF NEW.parent_id IS NOT NULL AND EXISTS (
    WITH RECURSIVE above AS (
      SELECT id, parent_id FROM ledger_chartline WHERE id = NEW.parent_id
      UNION SELECT line.id, line.parent_id FROM ledger_chartline line JOIN above ON line.id = above.parent_id
    ) SELECT FROM above WHERE id = NEW.id
  ) THEN
    RAISE EXCEPTION 'heading % cannot stand below itself', NEW.code USING ERRCODE = 'LG050';
  END IF;
  -- Accounts are numbered from the line's code on: two lines share no number.
  IF NOT NEW.is_heading AND NEW.code ~ '^[0-9]{1,9}$' AND EXISTS (
    SELECT FROM ledger_chartline other
    WHERE other.id <> NEW.id AND NOT other.is_heading AND other.code ~ '^[0-9]{1,9}$'
      AND CASE WHEN other.code ~ '^[0-9]{1,9}$' THEN other.code::bigint < NEW.code::bigint + NEW.width
               AND NEW.code::bigint < other.code::bigint + other.width END
  ) THEN
    RAISE EXCEPTION 'the numbers of line % belong to another line', NEW.code USING ERRCODE = 'LG050';
  END IF;
  RETURN NEW;
END $body$;

CREATE OR REPLACE TRIGGER ledger_chart_line_fenced BEFORE INSERT OR UPDATE ON {s}.ledger_chartline
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_fence_chart();
CREATE OR REPLACE TRIGGER ledger_chart_line_guarded BEFORE INSERT OR UPDATE ON {s}.ledger_chartline
  FOR EACH ROW EXECUTE FUNCTION {s}.ledger_guard_chart_line();
CREATE OR REPLACE TRIGGER ledger_chart_line_kept BEFORE DELETE OR TRUNCATE ON {s}.ledger_chartline
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
