-- Keys, storage and triggers that hold the ledger's invariants for every role, the owner included, save those that
-- docs/adr/0025 names. Repeatable. {s} is the quoted schema. Errors: LG002 unbalanced, LG010 append-only, LG011 leg of another
-- database transaction, LG012 no such leg or header, LG017 reversal that is none, LG018 hold that does not match.

ALTER TABLE {s}.ledger_balance SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE {s}.ledger_transaction ADD COLUMN IF NOT EXISTS xact xid8 NOT NULL DEFAULT pg_current_xact_id();

ALTER TABLE {s}.ledger_account DROP CONSTRAINT IF EXISTS ledger_account_currency;
ALTER TABLE {s}.ledger_account ADD CONSTRAINT ledger_account_currency
  FOREIGN KEY (currency) REFERENCES {s}.ledger_currency (code);
ALTER TABLE {s}.ledger_balance DROP CONSTRAINT IF EXISTS ledger_balance_account;
ALTER TABLE {s}.ledger_balance ADD CONSTRAINT ledger_balance_account
  FOREIGN KEY (account_id, currency) REFERENCES {s}.ledger_account (id, currency);
-- ledger_entry has no foreign keys: the functions hold the account's balance row, which has one, and a trigger below looks
-- for the header of every leg. docs/adr/0025 has the figures.

CREATE OR REPLACE FUNCTION {s}.ledger_refuse() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'LG010';
END $body$;

CREATE OR REPLACE FUNCTION {s}.ledger_guard_account() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF (NEW.id, NEW.uid, NEW.line_id, NEW.role, NEW.owner_type, NEW.owner_id, NEW.branch_id, NEW.currency, NEW.type, NEW.shards)
     IS DISTINCT FROM (OLD.id, OLD.uid, OLD.line_id, OLD.role, OLD.owner_type, OLD.owner_id, OLD.branch_id, OLD.currency, OLD.type, OLD.shards) THEN
    RAISE EXCEPTION 'account % keeps its line, role, owner, branch, currency, type and shards', OLD.id
      USING ERRCODE = 'LG010';
  END IF;
  RETURN NEW;
END $body$;

-- What follows are no CHECK constraints: PostgreSQL reads those anew for every statement, which costs a transfer an eighth
-- of its time. docs/adr/0025 has the figures.

-- Once per statement: the legs of a transaction are written with it and all at once, from 1 to the number that its header
-- says, every currency of every layer sums to zero, and only a hold and its steps are pending. No leg can be added later: its number is taken or too high.
CREATE OR REPLACE FUNCTION {s}.ledger_check_legs() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_all record;
  v_wrong record;
BEGIN
  -- Most statements write one transaction in one currency of one layer: that is seen in one pass, without grouping.
  SELECT count(*) AS count, min(e.seq) AS first, max(e.seq) AS last, sum(e.amount * e.direction) AS difference,
      bool_and(abs(e.direction) = 1 AND e.amount > 0 AND e.layer = 0) AS are_sound,
      min(e.transaction_id) AS id, min(e.transaction_id) = max(e.transaction_id) AND min(e.currency) = max(e.currency) AS is_plain
    INTO v_all FROM fresh e;
  IF v_all.is_plain AND v_all.are_sound AND v_all.difference = 0 AND v_all.first = 1 AND v_all.last = v_all.count
     AND (SELECT t.entry_count = v_all.count AND t.xact = pg_current_xact_id() FROM ledger_transaction t WHERE t.id = v_all.id) THEN
    RETURN NULL;
  END IF;
  SELECT legs.transaction_id, t.entry_count, t.xact IS DISTINCT FROM pg_current_xact_id() AS is_foreign,
      legs.are_sound AND (NOT legs.is_held OR t.kind IN ('HOLD', 'CAPTURE', 'RELEASE', 'EXPIRY')) AS are_sound,
      legs.is_balanced INTO v_wrong
    FROM (
      SELECT transaction_id, sum(side.legs) AS count, min(side.first) AS first, max(side.last) AS last,
        bool_and(side.are_sound) AS are_sound, bool_and(side.difference = 0) AS is_balanced, max(side.layer) = 1 AS is_held
      FROM (
        SELECT e.transaction_id, e.layer, count(*) AS legs, min(e.seq) AS first, max(e.seq) AS last,
          sum(e.amount * e.direction) AS difference,
          bool_and(abs(e.direction) = 1 AND (e.amount > 0 AND e.layer = 0 OR e.amount <> 0 AND e.layer = 1)) AS are_sound
        FROM fresh e GROUP BY e.transaction_id, e.currency, e.layer
      ) AS side GROUP BY side.transaction_id
    ) AS legs
    LEFT JOIN ledger_transaction t ON t.id = legs.transaction_id
    WHERE t.xact IS DISTINCT FROM pg_current_xact_id() OR NOT legs.are_sound OR NOT legs.is_balanced
      OR legs.first <> 1 OR legs.last <> t.entry_count OR legs.count <> t.entry_count
      OR legs.is_held AND t.kind NOT IN ('HOLD', 'CAPTURE', 'RELEASE', 'EXPIRY')
    LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF v_wrong.is_foreign THEN
    RAISE EXCEPTION 'a leg may only be written with its transaction' USING ERRCODE = 'LG011';
  END IF;
  IF NOT v_wrong.are_sound THEN
    RAISE EXCEPTION 'a leg of transaction % is none', v_wrong.transaction_id USING ERRCODE = 'LG012';
  END IF;
  IF NOT v_wrong.is_balanced THEN
    RAISE EXCEPTION 'transaction % does not balance', v_wrong.transaction_id USING ERRCODE = 'LG002';
  END IF;
  RAISE EXCEPTION 'transaction % has not the % legs that its header says', v_wrong.transaction_id, v_wrong.entry_count
    USING ERRCODE = 'LG002';
END $body$;

-- At commit, once per header: it has its legs, of which the trigger above has seen to the rest; it is of a kind that there is, and
-- refers to what that kind refers to. A reversal turns every leg of its original around, a step of a hold matches its hold.
CREATE OR REPLACE FUNCTION {s}.ledger_check_header() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF NOT EXISTS (SELECT FROM ledger_entry WHERE transaction_id = NEW.id) OR NEW.entry_count < 2 THEN
    RAISE EXCEPTION 'transaction % has not the % legs that its header says', NEW.id, NEW.entry_count
      USING ERRCODE = 'LG002';
  END IF;
  IF NEW.kind = 'POSTING' AND num_nonnulls(NEW.reverses_id, NEW.hold_id) = 0 THEN
    RETURN NULL;
  END IF;
  IF NEW.kind NOT IN (
       'POSTING', 'HOLD', 'CAPTURE', 'RELEASE', 'EXPIRY', 'REVERSAL', 'ADJUSTMENT', 'EXCHANGE', 'REVALUATION', 'CLOSING', 'OPENING'
     ) OR (NEW.kind = 'REVERSAL') <> (NEW.reverses_id IS NOT NULL)
     OR (NEW.kind IN ('CAPTURE', 'RELEASE', 'EXPIRY')) <> (NEW.hold_id IS NOT NULL) THEN
    RAISE EXCEPTION 'transaction % is of no such kind, or refers to what its kind does not', NEW.id USING ERRCODE = 'LG012';
  END IF;
  IF NEW.kind = 'REVERSAL' AND (NOT EXISTS (SELECT FROM ledger_entry WHERE transaction_id = NEW.reverses_id) OR EXISTS (
    SELECT FROM (
      SELECT account_id, currency, layer, amount, direction FROM ledger_entry WHERE transaction_id = NEW.id
      UNION ALL
      SELECT account_id, currency, layer, amount, direction FROM ledger_entry WHERE transaction_id = NEW.reverses_id
    ) AS leg GROUP BY account_id, currency, layer, amount HAVING sum(direction) <> 0
  )) THEN
    RAISE EXCEPTION 'transaction % does not turn % around', NEW.id, NEW.reverses_id USING ERRCODE = 'LG017';
  END IF;
  IF NEW.kind = 'HOLD' OR NEW.hold_id IS NOT NULL THEN
    PERFORM ledger_check_hold(coalesce(NEW.hold_id, NEW.id));
  END IF;
  RETURN NULL;
END $body$;

-- A hold keeps its accounts, sum and expiry; what was captured or released only grows, and an end is an end.
CREATE OR REPLACE FUNCTION {s}.ledger_guard_hold() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF (NEW.transaction_id, NEW.debit_account_id, NEW.credit_account_id, NEW.currency, NEW.amount, NEW.expires_at)
     IS DISTINCT FROM (OLD.transaction_id, OLD.debit_account_id, OLD.credit_account_id, OLD.currency, OLD.amount, OLD.expires_at)
     OR NEW.captured < OLD.captured OR NEW.released < OLD.released
     OR OLD.state NOT IN ('ACTIVE', 'PARTIALLY_CAPTURED') THEN
    RAISE EXCEPTION 'hold % keeps what it holds, and its end', OLD.transaction_id USING ERRCODE = 'LG010';
  END IF;
  RETURN NEW;
END $body$;

-- At commit, for a hold's row and for each of its transactions: what is still held stands on the pending layer between its two
-- accounts, what was captured on the posted one between the same two, and nothing else was booked with it.
CREATE OR REPLACE FUNCTION {s}.ledger_check_hold(p_id bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_hold ledger_hold;
BEGIN
  SELECT * INTO v_hold FROM ledger_hold WHERE transaction_id = p_id;
  IF NOT FOUND OR EXISTS (
    SELECT FROM (
      SELECT coalesce(sum(e.amount) FILTER (WHERE e.layer = 1 AND e.direction = 1), 0),
        coalesce(sum(e.amount) FILTER (WHERE e.layer = 1 AND e.direction = -1), 0),
        coalesce(sum(e.amount) FILTER (WHERE e.layer = 0 AND e.direction = 1), 0),
        coalesce(sum(e.amount) FILTER (WHERE e.layer = 0 AND e.direction = -1), 0),
        coalesce(bool_or(e.layer = 0 AND t.kind <> 'CAPTURE'
          OR e.account_id <> CASE e.direction WHEN 1 THEN v_hold.debit_account_id ELSE v_hold.credit_account_id END), false)
      FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
      WHERE t.id = p_id OR t.hold_id = p_id
    ) AS booked (held_debits, held_credits, captured_debits, captured_credits, is_elsewhere)
    WHERE is_elsewhere OR held_debits <> v_hold.amount - v_hold.captured - v_hold.released OR held_credits <> held_debits
      OR captured_debits <> v_hold.captured OR captured_credits <> v_hold.captured
  ) THEN
    RAISE EXCEPTION 'hold % is not what its entries say', p_id USING ERRCODE = 'LG018';
  END IF;
END $body$;

CREATE OR REPLACE FUNCTION {s}.ledger_check_held() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  PERFORM ledger_check_hold(NEW.transaction_id);
  RETURN NULL;
END $body$;

CREATE OR REPLACE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_transaction
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_balance_kept BEFORE DELETE OR TRUNCATE ON {s}.ledger_balance
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_account_kept BEFORE DELETE OR TRUNCATE ON {s}.ledger_account
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_account_guarded BEFORE UPDATE ON {s}.ledger_account
  FOR EACH ROW EXECUTE FUNCTION {s}.ledger_guard_account();
CREATE OR REPLACE TRIGGER ledger_currency_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_currency
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_book_kept BEFORE DELETE OR TRUNCATE ON {s}.ledger_book
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();

CREATE OR REPLACE TRIGGER ledger_entry_legs AFTER INSERT ON {s}.ledger_entry
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_check_legs();
DROP TRIGGER IF EXISTS ledger_transaction_is_sound ON {s}.ledger_transaction;
CREATE CONSTRAINT TRIGGER ledger_transaction_is_sound AFTER INSERT ON {s}.ledger_transaction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.ledger_check_header();

CREATE OR REPLACE TRIGGER ledger_hold_kept BEFORE DELETE OR TRUNCATE ON {s}.ledger_hold
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_hold_guarded BEFORE UPDATE ON {s}.ledger_hold
  FOR EACH ROW EXECUTE FUNCTION {s}.ledger_guard_hold();
DROP TRIGGER IF EXISTS ledger_hold_matches_entries ON {s}.ledger_hold;
CREATE CONSTRAINT TRIGGER ledger_hold_matches_entries AFTER INSERT OR UPDATE ON {s}.ledger_hold
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.ledger_check_held();
