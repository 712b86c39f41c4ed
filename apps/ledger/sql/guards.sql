-- Keys, storage and triggers that hold the ledger's invariants for every role, the owner included. Repeatable.
-- {s} is the quoted schema. Errors: LG002 unbalanced, LG010 append-only, LG011 leg of another database transaction.

ALTER TABLE {s}.ledger_balance SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE {s}.ledger_transaction ADD COLUMN IF NOT EXISTS xact xid8 NOT NULL DEFAULT pg_current_xact_id();

ALTER TABLE {s}.ledger_account DROP CONSTRAINT IF EXISTS ledger_account_currency;
ALTER TABLE {s}.ledger_account ADD CONSTRAINT ledger_account_currency
  FOREIGN KEY (currency) REFERENCES {s}.ledger_currency (code);
ALTER TABLE {s}.ledger_balance DROP CONSTRAINT IF EXISTS ledger_balance_account;
ALTER TABLE {s}.ledger_balance ADD CONSTRAINT ledger_balance_account
  FOREIGN KEY (account_id, currency) REFERENCES {s}.ledger_account (id, currency);
ALTER TABLE {s}.ledger_entry DROP CONSTRAINT IF EXISTS ledger_entry_account;
ALTER TABLE {s}.ledger_entry ADD CONSTRAINT ledger_entry_account
  FOREIGN KEY (account_id, currency) REFERENCES {s}.ledger_account (id, currency);
ALTER TABLE {s}.ledger_entry DROP CONSTRAINT IF EXISTS ledger_entry_transaction;
ALTER TABLE {s}.ledger_entry ADD CONSTRAINT ledger_entry_transaction
  FOREIGN KEY (transaction_id) REFERENCES {s}.ledger_transaction (id);

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

-- At commit, once per header: all legs are there and every currency of every layer sums to zero.
CREATE OR REPLACE FUNCTION {s}.ledger_check_balanced() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF (SELECT count(*) FROM ledger_entry e WHERE e.transaction_id = NEW.id) <> NEW.entry_count THEN
    RAISE EXCEPTION 'transaction % has not the % legs that its header says', NEW.id, NEW.entry_count
      USING ERRCODE = 'LG002';
  END IF;
  IF EXISTS (
    SELECT FROM ledger_entry e WHERE e.transaction_id = NEW.id
    GROUP BY e.currency, e.layer HAVING sum(e.amount * e.direction) <> 0
  ) THEN
    RAISE EXCEPTION 'transaction % does not balance', NEW.id USING ERRCODE = 'LG002';
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
