-- An audit trail and its chain. {s} is the quoted schema, {schema} its name as text, {records} the table of records, {links}
-- that of the chain, {waiting} that of records not yet in it, {prefix} begins the names of functions and triggers.
-- Errors: restrict_violation append-only, AU001 the links do not follow the chain. Repeatable.

CREATE OR REPLACE FUNCTION {s}.{prefix}_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  RAISE EXCEPTION 'audit: %.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $body$;

-- Whatever the writer says, the database says when a record was written, and in which transaction: that is how a record and
-- what kit/sql/history.sql keeps of rows find each other. A number of a transaction can come again in a restored database, so that
-- its beginning is beside it.
CREATE OR REPLACE FUNCTION {s}.{prefix}_stamp() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  NEW.recorded_at := clock_timestamp();
  NEW.transaction := pg_current_xact_id()::text || '@' || (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint;
  RETURN NEW;
END $body$;

-- Every record waits for its link from the transaction on that writes it: however late that commits, it is found.
CREATE OR REPLACE FUNCTION {s}.{prefix}_await() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  INSERT INTO {waiting} (record_id) VALUES (NEW.id);
  RETURN NULL;
END $body$;

-- Store the next links, the only way for the application. Records and hashes are parallel arrays in the order of the chain.
-- The last link's hash is kept in the shared schema too. One sealer at a time; writers of records wait for nothing.
CREATE OR REPLACE FUNCTION {s}.{prefix}_store_links(
  p_first bigint, p_prev_hash bytea, p_record_ids uuid[], p_hashes bytea[], p_form smallint
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_count integer := cardinality(p_record_ids);
  v_seq bigint;
  v_hash bytea;
  v_taken integer;
BEGIN
  PERFORM pg_advisory_xact_lock(7411, '{links}'::regclass::oid::integer);
  SELECT seq, hash INTO v_seq, v_hash FROM {links} ORDER BY seq DESC LIMIT 1;
  IF p_first IS DISTINCT FROM coalesce(v_seq, 0) + 1
     OR p_prev_hash IS DISTINCT FROM coalesce(v_hash, decode(repeat('00', 32), 'hex')) THEN
    RAISE EXCEPTION 'link % does not follow link %', p_first, coalesce(v_seq, 0) USING ERRCODE = 'AU001';
  END IF;
  IF v_count IS NULL OR v_count NOT BETWEEN 1 AND 5000 OR cardinality(p_hashes) IS DISTINCT FROM v_count
     OR EXISTS (SELECT FROM unnest(p_hashes) AS hash WHERE octet_length(hash) IS DISTINCT FROM 32) THEN
    RAISE EXCEPTION 'links are 1 to 5000 records with their hashes' USING ERRCODE = 'AU001';
  END IF;

  DELETE FROM {waiting} WHERE record_id = ANY (p_record_ids);
  GET DIAGNOSTICS v_taken = ROW_COUNT;
  IF v_taken <> v_count THEN
    RAISE EXCEPTION '% of % records wait for a link', v_taken, v_count USING ERRCODE = 'AU001';
  END IF;
  INSERT INTO {links} (seq, record_id, form, prev_hash, hash, sealed_at)
    SELECT p_first + place - 1, id, p_form, coalesce(lag(hash) OVER (ORDER BY place), p_prev_hash), hash, clock_timestamp()
    FROM unnest(p_record_ids, p_hashes) WITH ORDINALITY AS given (id, hash, place);
  INSERT INTO public.accounts_trailhead (chain, seq, hash, sealed_at)
    VALUES (
      CASE WHEN '{schema}' = 'public' THEN 'platform'
           ELSE (SELECT id::text FROM public.tenancy_organisation WHERE schema_name = '{schema}') END,
      p_first + v_count - 1, p_hashes[v_count], clock_timestamp()
    );
END $body$;

CREATE OR REPLACE TRIGGER {prefix}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.{records}
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.{prefix}_refuse();
CREATE OR REPLACE TRIGGER {prefix}_links_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.{links}
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.{prefix}_refuse();
CREATE OR REPLACE TRIGGER {prefix}_stamped BEFORE INSERT ON {s}.{records}
  FOR EACH ROW EXECUTE FUNCTION {s}.{prefix}_stamp();
CREATE OR REPLACE TRIGGER {prefix}_awaited AFTER INSERT ON {s}.{records}
  FOR EACH ROW EXECUTE FUNCTION {s}.{prefix}_await();
