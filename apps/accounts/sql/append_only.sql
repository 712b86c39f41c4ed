-- The platform's audit trail is only ever inserted into. The grants are the wall, this trigger also holds for the owner's role.
CREATE OR REPLACE FUNCTION {s}.platform_record_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  RAISE EXCEPTION 'platform audit: %.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $f$;
CREATE OR REPLACE TRIGGER platform_record_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.accounts_platformrecord
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.platform_record_refuse();
