-- Periods of the book: opened one after another, closed with checkpoints, the last closed one opened again. Repeatable.
-- {s} is the quoted schema. Errors: LG007 no book, LG008 implausible time, LG010 append-only, LG013 isolation,
-- LG040 does not follow, LG041 not in that state, LG042 checkpoints are not the sum of the entries, LG043 no such period.

ALTER TABLE {s}.ledger_period DROP CONSTRAINT IF EXISTS ledger_period_no_overlap;
ALTER TABLE {s}.ledger_period ADD CONSTRAINT ledger_period_no_overlap
  EXCLUDE USING gist (daterange(start_date, end_date, '[]') WITH &&);

CREATE OR REPLACE FUNCTION {s}.ledger_guard_period() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF (NEW.id, NEW.uid, NEW.start_date, NEW.end_date, NEW.is_year_end)
     IS DISTINCT FROM (OLD.id, OLD.uid, OLD.start_date, OLD.end_date, OLD.is_year_end) OR NEW.revision < OLD.revision THEN
    RAISE EXCEPTION 'period % keeps its days, and its revision never falls', OLD.id USING ERRCODE = 'LG010';
  END IF;
  RETURN NEW;
END $body$;

CREATE OR REPLACE TRIGGER ledger_period_kept BEFORE DELETE OR TRUNCATE ON {s}.ledger_period
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_period_guarded BEFORE UPDATE ON {s}.ledger_period
  FOR EACH ROW EXECUTE FUNCTION {s}.ledger_guard_period();
CREATE OR REPLACE TRIGGER ledger_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_closing_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_closing
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_signoff_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_signoff
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();

-- Set what the organisation decides about its book; NULL leaves as it is. The year's first month stays once there is a period.
CREATE OR REPLACE FUNCTION {s}.ledger_change_book(p_late_items text, p_fiscal_year_start smallint)
  RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  PERFORM pg_advisory_xact_lock(7401, 'ledger_book'::regclass::oid::integer);
  IF p_fiscal_year_start <> (SELECT fiscal_year_start FROM ledger_book) AND EXISTS (SELECT FROM ledger_period) THEN
    RAISE EXCEPTION 'the year has periods already' USING ERRCODE = 'LG041';
  END IF;
  UPDATE ledger_book SET late_items = coalesce(p_late_items, late_items),
    fiscal_year_start = coalesce(p_fiscal_year_start, fiscal_year_start);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the book is not open' USING ERRCODE = 'LG007';
  END IF;
END $body$;

-- Open a period that begins on the day after the last one ends; the first one begins on an open day. Its revision is 1.
-- Say whether it was opened now: the same days again are the same period.
CREATE OR REPLACE FUNCTION {s}.ledger_open_period(p_uid uuid, p_start_date date, p_end_date date, p_is_year_end boolean)
  RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_last date;
BEGIN
  PERFORM pg_advisory_xact_lock(7401, 'ledger_book'::regclass::oid::integer);
  IF NOT EXISTS (SELECT FROM ledger_book) THEN
    RAISE EXCEPTION 'the book is not open' USING ERRCODE = 'LG007';
  END IF;
  IF EXISTS (
    SELECT FROM ledger_period
    WHERE start_date = p_start_date AND end_date = p_end_date AND is_year_end = p_is_year_end
  ) THEN
    RETURN false;
  END IF;
  SELECT max(end_date) INTO v_last FROM ledger_period;
  IF p_start_date <> v_last + 1 OR p_start_date <= (SELECT closed_through FROM ledger_book) THEN
    RAISE EXCEPTION 'a period begins on the day after the last one' USING ERRCODE = 'LG040', DETAIL = coalesce(v_last::text, '');
  END IF;
  INSERT INTO ledger_period (uid, start_date, end_date, state, revision, is_year_end, closed_by)
    VALUES (p_uid, p_start_date, p_end_date, 'OPEN', 1, p_is_year_end, '');
  RETURN true;
END $body$;

-- Say that a period is about to be closed, or is not after all.
CREATE OR REPLACE FUNCTION {s}.ledger_mark_period(p_uid uuid, p_state text)
  RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  UPDATE ledger_period SET state = p_state
    WHERE uid = p_uid AND state IN ('OPEN', 'SOFT_CLOSED') AND p_state IN ('OPEN', 'SOFT_CLOSED');
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this period is closed or does not exist' USING ERRCODE = 'LG041';
  END IF;
END $body$;

-- Return the canonical text of a revision's checkpoints: a head that names the days, the revision and the hash of the
-- period before, then a line for each account in the order of their public ids.
CREATE OR REPLACE FUNCTION {s}.ledger_checkpoint_text(p_period_id bigint, p_revision smallint, p_previous_hash bytea)
  RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
  SELECT 'ledger-checkpoint|v1|' || to_char(p.start_date, 'YYYY-MM-DD') || '|' || to_char(p.end_date, 'YYYY-MM-DD')
    || '|' || p_revision || '|' || coalesce(encode(p_previous_hash, 'hex'), repeat('0', 64))
    || coalesce((
      SELECT string_agg(E'\n' || a.uid || '|' || a.currency || '|' || c.debits || '|' || c.credits, '' ORDER BY a.uid)
      FROM ledger_checkpoint c JOIN ledger_account a ON a.id = c.account_id
      WHERE c.period_id = p.id AND c.revision = p_revision
    ), '')
  FROM ledger_period p WHERE p.id = p_period_id
$body$;

-- Close a period: under the fence, which lets every posting end first and no other begin, keep what stands on each
-- account at the end of its last day, prove that against all entries, and move the day through which the book is closed.
CREATE OR REPLACE FUNCTION {s}.ledger_close_period(p_uid uuid, p_closed_by text, p_now timestamptz)
  RETURNS bytea LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_book ledger_book;
  v_period ledger_period;
  v_previous ledger_period;
  v_wrong bigint;
  v_hash bytea;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the ledger is written at READ COMMITTED only' USING ERRCODE = 'LG013';
  END IF;
  PERFORM pg_advisory_xact_lock(7401, 'ledger_book'::regclass::oid::integer);
  SELECT * INTO v_book FROM ledger_book;
  SELECT * INTO v_period FROM ledger_period WHERE uid = p_uid FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such period' USING ERRCODE = 'LG043';
  END IF;
  IF NOT v_book.is_test AND abs(extract(epoch FROM clock_timestamp() - p_now)) > 300 THEN
    RAISE EXCEPTION 'the time is not within 5 minutes of the clock' USING ERRCODE = 'LG008';
  END IF;
  IF v_period.state = 'CLOSED' OR v_period.end_date >= (p_now AT TIME ZONE v_book.timezone)::date
     OR EXISTS (SELECT FROM ledger_period WHERE end_date < v_period.start_date AND state <> 'CLOSED') THEN
    RAISE EXCEPTION 'this period cannot be closed' USING ERRCODE = 'LG041';
  END IF;
  SELECT * INTO v_previous FROM ledger_period WHERE end_date < v_period.start_date ORDER BY end_date DESC LIMIT 1;

  INSERT INTO ledger_checkpoint (period_id, revision, account_id, debits, credits, functional_net, entries)
  SELECT v_period.id, v_period.revision, a.id, sum(moved.debits), sum(moved.credits),
    CASE WHEN a.currency = v_book.functional_currency THEN sum(moved.debits) - sum(moved.credits) END,
    (SELECT coalesce(sum(m.entries), 0) FROM ledger_movement m
     WHERE m.account_id = a.id AND m.effective_date <= v_period.end_date)
  FROM (
    SELECT c.account_id, c.debits, c.credits FROM ledger_checkpoint c
    WHERE c.period_id = v_previous.id AND c.revision = v_previous.revision
    UNION ALL
    SELECT e.account_id, CASE WHEN e.direction = 1 THEN e.amount ELSE 0 END, CASE WHEN e.direction = -1 THEN e.amount ELSE 0 END
    FROM ledger_entry e
    WHERE e.layer = 0 AND e.effective_date <= v_period.end_date
      AND (v_previous.id IS NULL OR e.effective_date > v_previous.end_date)
  ) AS moved JOIN ledger_account a ON a.id = moved.account_id
  GROUP BY a.id;

  SELECT coalesce(c.account_id, e.account_id) INTO v_wrong
  FROM (
    SELECT * FROM ledger_checkpoint WHERE period_id = v_period.id AND revision = v_period.revision
  ) AS c
  FULL JOIN (
    SELECT account_id, coalesce(sum(amount) FILTER (WHERE direction = 1), 0) AS debits,
      coalesce(sum(amount) FILTER (WHERE direction = -1), 0) AS credits
    FROM ledger_entry WHERE layer = 0 AND effective_date <= v_period.end_date GROUP BY account_id
  ) AS e ON e.account_id = c.account_id
  WHERE (c.debits, c.credits) IS DISTINCT FROM (e.debits, e.credits) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the checkpoint of account % is not the sum of its entries', v_wrong
      USING ERRCODE = 'LG042', DETAIL = v_wrong::text;
  END IF;

  v_hash := sha256(convert_to(
    ledger_checkpoint_text(v_period.id, v_period.revision, v_previous.checkpoint_hash), 'UTF8'));
  UPDATE ledger_period SET state = 'CLOSED', closed_by = p_closed_by, closed_at = p_now, checkpoint_hash = v_hash
    WHERE id = v_period.id;
  UPDATE ledger_book SET closed_through = greatest(closed_through, v_period.end_date);
  RETURN v_hash;
END $body$;

-- Open the last closed period again. Its checkpoints stay under the old revision, and are superseded by the next close.
CREATE OR REPLACE FUNCTION {s}.ledger_reopen_period(p_uid uuid)
  RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_period ledger_period;
BEGIN
  PERFORM pg_advisory_xact_lock(7401, 'ledger_book'::regclass::oid::integer);
  SELECT * INTO v_period FROM ledger_period WHERE uid = p_uid FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such period' USING ERRCODE = 'LG043';
  END IF;
  IF v_period.state <> 'CLOSED'
     OR EXISTS (SELECT FROM ledger_period WHERE start_date > v_period.end_date AND state = 'CLOSED') THEN
    RAISE EXCEPTION 'only the last closed period can be opened again' USING ERRCODE = 'LG041';
  END IF;
  UPDATE ledger_period SET state = 'OPEN', revision = revision + 1, closed_by = '', closed_at = NULL, checkpoint_hash = NULL
    WHERE id = v_period.id;
  UPDATE ledger_book SET closed_through = (SELECT max(end_date) FROM ledger_period WHERE state = 'CLOSED');
END $body$;
