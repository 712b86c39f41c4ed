-- What rows of settings became, kept by the database itself. {s} is the quoted schema, {history} the table of what was
-- kept, {prefix} begins the names of functions and triggers. Repeatable.

CREATE OR REPLACE FUNCTION {s}.{prefix}_history_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  RAISE EXCEPTION 'history: %.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $body$;

-- One change of one row, whoever makes it and by whatever statement. Arguments: the column that names the row which it is a
-- part of, or nothing; columns that are never kept; columns whose change alone is none. Of a column that is never kept its
-- name is, when it changes.
CREATE OR REPLACE FUNCTION {s}.{prefix}_keep_history() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_old jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  v_new jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
  v_row jsonb := coalesce(v_new, v_old);
  v_hidden text[] := TG_ARGV[1]::text[];
  v_left_out text[] := v_hidden || TG_ARGV[2]::text[];
BEGIN
  IF TG_OP = 'UPDATE' AND v_old - TG_ARGV[2]::text[] = v_new - TG_ARGV[2]::text[] THEN
    RETURN NULL;
  END IF;
  INSERT INTO {history} (table_name, row_id, owner_id, operation, before, after, hidden, transaction, database_user, changed_at)
    VALUES (
      TG_TABLE_NAME, v_row ->> 'id', coalesce(v_row ->> TG_ARGV[0], ''), TG_OP, v_old - v_left_out, v_new - v_left_out,
      ARRAY(SELECT name FROM unnest(v_hidden) AS name WHERE v_old -> name IS DISTINCT FROM v_new -> name ORDER BY name),
      pg_current_xact_id()::text || '@' || (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint,
      session_user, clock_timestamp()
    );
  RETURN NULL;
END $body$;

CREATE OR REPLACE TRIGGER {prefix}_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.{history}
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.{prefix}_history_refuse();
