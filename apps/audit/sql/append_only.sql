-- The audit trail is only ever inserted into. The grants are the wall, this trigger also holds for the owner's role.
CREATE OR REPLACE FUNCTION {s}.audit_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  RAISE EXCEPTION 'audit: %.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $f$;
CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.audit_auditrecord
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.audit_refuse();
