-- Seals: the only way in which the application stores a seal with its leaves and the daily sums of what it seals, and the
-- triggers that keep them. {s} is the quoted schema. Errors: LG008 clock, LG010 append-only, LG013 isolation,
-- LG030 the seal does not follow the last one, LG031 its leaves are not valid. Repeatable.

-- Store the next seal. Leaves are parallel arrays by ascending transaction id; their place in them is their position. What
-- their entries moved is added to the daily sums at once, so that the sealed and the summed are always the same set. One sealer at a time per organisation; postings go on meanwhile.
CREATE OR REPLACE FUNCTION {s}.ledger_store_seal(
  p_seq bigint, p_prev_hash bytea, p_merkle_root bytea, p_seal_hash bytea,
  p_transaction_ids bigint[], p_leaf_hashes bytea[], p_now timestamptz
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_count integer := cardinality(p_transaction_ids);
  v_seq bigint;
  v_hash bytea;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the ledger is written at READ COMMITTED only' USING ERRCODE = 'LG013';
  END IF;
  IF NOT EXISTS (SELECT FROM ledger_book WHERE is_test)
     AND NOT coalesce(abs(extract(epoch FROM p_now - clock_timestamp())) <= 300, false) THEN
    RAISE EXCEPTION 'the time of the seal is not within 5 minutes of the clock' USING ERRCODE = 'LG008';
  END IF;

  PERFORM pg_advisory_xact_lock(7410, 'ledger_seal'::regclass::oid::integer);
  SELECT seq, seal_hash INTO v_seq, v_hash FROM ledger_seal ORDER BY seq DESC LIMIT 1;
  IF p_seq IS DISTINCT FROM coalesce(v_seq, 0) + 1
     OR p_prev_hash IS DISTINCT FROM coalesce(v_hash, decode(repeat('00', 32), 'hex')) THEN
    RAISE EXCEPTION 'seal % does not follow seal %', p_seq, coalesce(v_seq, 0) USING ERRCODE = 'LG030';
  END IF;

  IF v_count IS NULL OR v_count NOT BETWEEN 1 AND 5000 OR cardinality(p_leaf_hashes) IS DISTINCT FROM v_count
     OR octet_length(p_merkle_root) IS DISTINCT FROM 32 OR octet_length(p_seal_hash) IS DISTINCT FROM 32
     OR EXISTS (
       SELECT FROM (
         SELECT id, hash, lag(id) OVER (ORDER BY place) AS before
         FROM unnest(p_transaction_ids, p_leaf_hashes) WITH ORDINALITY AS given (id, hash, place)
       ) AS leaf
       LEFT JOIN ledger_transaction t ON t.id = leaf.id
       LEFT JOIN ledger_sealleaf sealed ON sealed.transaction_id = leaf.id
       WHERE t.id IS NULL OR sealed.transaction_id IS NOT NULL OR leaf.id <= leaf.before
         OR octet_length(leaf.hash) IS DISTINCT FROM 32
     ) THEN
    RAISE EXCEPTION 'a seal holds 1 to 5000 transactions by id, none of them sealed before' USING ERRCODE = 'LG031';
  END IF;

  INSERT INTO ledger_seal (seq, prev_hash, merkle_root, seal_hash, tx_count, sealed_at)
    VALUES (p_seq, p_prev_hash, p_merkle_root, p_seal_hash, v_count, p_now);
  INSERT INTO ledger_sealleaf (transaction_id, seal_id, position, leaf_hash)
    SELECT id, p_seq, place - 1, hash
    FROM unnest(p_transaction_ids, p_leaf_hashes) WITH ORDINALITY AS given (id, hash, place);
  INSERT INTO ledger_movement AS kept (account_id, effective_date, layer, debits, credits, entries)
    SELECT account_id, effective_date, layer, coalesce(sum(amount) FILTER (WHERE direction = 1), 0),
      coalesce(sum(amount) FILTER (WHERE direction = -1), 0), count(*)
    FROM ledger_entry WHERE transaction_id = ANY (p_transaction_ids)
    GROUP BY account_id, effective_date, layer
    ON CONFLICT (account_id, effective_date, layer) DO UPDATE
      SET debits = kept.debits + excluded.debits, credits = kept.credits + excluded.credits,
        entries = kept.entries + excluded.entries;
END $body$;

-- A daily sum keeps its account, date and layer, and every change of it counts entries that it did not hold before.
CREATE OR REPLACE FUNCTION {s}.ledger_guard_movement() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF (NEW.account_id, NEW.effective_date, NEW.layer) IS DISTINCT FROM (OLD.account_id, OLD.effective_date, OLD.layer)
     OR NEW.entries <= OLD.entries THEN
    RAISE EXCEPTION 'a movement is only ever added to' USING ERRCODE = 'LG010';
  END IF;
  RETURN NEW;
END $body$;

CREATE OR REPLACE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_seal
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_sealleaf_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_sealleaf
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_movement_kept BEFORE DELETE OR TRUNCATE ON {s}.ledger_movement
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
CREATE OR REPLACE TRIGGER ledger_movement_added_to BEFORE UPDATE ON {s}.ledger_movement
  FOR EACH ROW EXECUTE FUNCTION {s}.ledger_guard_movement();
