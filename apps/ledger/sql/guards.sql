-- Keys, storage and triggers that hold the ledger's invariants for every role, the owner included. Repeatable.
-- {s} is the quoted schema. Errors: LG002 unbalanced, LG010 append-only, LG011 leg of another database transaction,
-- LG017 reversal that is none, LG018 hold that does not match.

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

-- Once per statement: nobody adds legs to a transaction that was committed before.
CREATE OR REPLACE FUNCTION {s}.ledger_check_same_transaction() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF EXISTS (
    SELECT FROM fresh LEFT JOIN ledger_transaction t ON t.id = fresh.transaction_id
    WHERE t.xact IS DISTINCT FROM pg_current_xact_id()
  ) THEN
    RAISE EXCEPTION 'a leg may only be written with its transaction' USING ERRCODE = 'LG011';
  END IF;
  RETURN NULL;
END $body$;

-- At commit, once per header: all legs are there, every currency of every layer sums to zero, and a reversal turns every
-- leg of its original around.
CREATE OR REPLACE FUNCTION {s}.ledger_check_balanced() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_legs bigint;
  v_is_balanced boolean;
BEGIN
  SELECT sum(legs), bool_and(difference = 0) INTO v_legs, v_is_balanced FROM (
    SELECT count(*) AS legs, sum(e.amount * e.direction) AS difference
    FROM ledger_entry e WHERE e.transaction_id = NEW.id GROUP BY e.currency, e.layer
  ) AS side;
  IF v_legs IS DISTINCT FROM NEW.entry_count THEN
    RAISE EXCEPTION 'transaction % has not the % legs that its header says', NEW.id, NEW.entry_count
      USING ERRCODE = 'LG002';
  END IF;
  IF NOT v_is_balanced THEN
    RAISE EXCEPTION 'transaction % does not balance', NEW.id USING ERRCODE = 'LG002';
  END IF;
  IF NEW.reverses_id IS NOT NULL AND EXISTS (
    SELECT FROM (
      SELECT account_id, currency, layer, amount, direction FROM ledger_entry WHERE transaction_id = NEW.id
      UNION ALL
      SELECT account_id, currency, layer, amount, direction FROM ledger_entry WHERE transaction_id = NEW.reverses_id
    ) AS leg GROUP BY account_id, currency, layer, amount HAVING sum(direction) <> 0
  ) THEN
    RAISE EXCEPTION 'transaction % does not turn % around', NEW.id, NEW.reverses_id USING ERRCODE = 'LG017';
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

-- At commit, for a hold's row and for each of its transactions: what is still held stands on the pending layer, and what was
-- captured on the posted one.
CREATE OR REPLACE FUNCTION {s}.ledger_check_hold() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_id bigint;
  v_hold ledger_hold;
BEGIN
  IF TG_TABLE_NAME = 'ledger_hold' THEN
    v_id := NEW.transaction_id;
  ELSE
    v_id := coalesce(NEW.hold_id, NEW.id);
  END IF;
  SELECT * INTO v_hold FROM ledger_hold WHERE transaction_id = v_id;
  IF NOT FOUND OR EXISTS (
    SELECT FROM (
      SELECT coalesce(sum(e.amount) FILTER (WHERE e.layer = 1 AND e.direction = 1 AND e.account_id = v_hold.debit_account_id), 0),
        coalesce(sum(e.amount) FILTER (WHERE e.layer = 1 AND e.direction = -1 AND e.account_id = v_hold.credit_account_id), 0),
        coalesce(sum(e.amount) FILTER (WHERE e.layer = 0 AND e.direction = 1 AND e.account_id = v_hold.debit_account_id), 0)
      FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
      WHERE t.id = v_id OR t.hold_id = v_id
    ) AS booked (held_debits, held_credits, captured)
    WHERE held_debits <> v_hold.amount - v_hold.captured - v_hold.released OR held_credits <> held_debits
      OR booked.captured <> v_hold.captured
  ) OR EXISTS (
    SELECT FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    WHERE (t.id = v_id OR t.hold_id = v_id) AND e.layer = 1
      AND e.account_id <> (CASE e.direction WHEN 1 THEN v_hold.debit_account_id ELSE v_hold.credit_account_id END)
  ) THEN
    RAISE EXCEPTION 'hold % is not what its entries say', v_id USING ERRCODE = 'LG018';
  END IF;
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

CREATE OR REPLACE TRIGGER ledger_entry_same_transaction AFTER INSERT ON {s}.ledger_entry
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_check_same_transaction();
DROP TRIGGER IF EXISTS ledger_transaction_balanced ON {s}.ledger_transaction;
CREATE CONSTRAINT TRIGGER ledger_transaction_balanced AFTER INSERT ON {s}.ledger_transaction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.ledger_check_balanced();

CREATE OR REPLACE TRIGGER ledger_hold_kept BEFORE DELETE OR TRUNCATE ON {s}.ledger_hold
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_hold_guarded BEFORE UPDATE ON {s}.ledger_hold
  FOR EACH ROW EXECUTE FUNCTION {s}.ledger_guard_hold();
DROP TRIGGER IF EXISTS ledger_hold_matches_entries ON {s}.ledger_hold;
CREATE CONSTRAINT TRIGGER ledger_hold_matches_entries AFTER INSERT OR UPDATE ON {s}.ledger_hold
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.ledger_check_hold();
DROP TRIGGER IF EXISTS ledger_transaction_matches_hold ON {s}.ledger_transaction;
CREATE CONSTRAINT TRIGGER ledger_transaction_matches_hold AFTER INSERT ON {s}.ledger_transaction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'HOLD' OR NEW.hold_id IS NOT NULL)
  EXECUTE FUNCTION {s}.ledger_check_hold();
