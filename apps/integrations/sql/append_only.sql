-- Calls to providers, callbacks and what was read of them are evidence: only ever inserted. The grants are the wall, these triggers also
-- hold for the owner's role.
CREATE OR REPLACE FUNCTION {s}.integrations_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  RAISE EXCEPTION 'integrations: %.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $f$;
CREATE OR REPLACE TRIGGER integrations_call_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.integrations_providercall
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.integrations_refuse();
CREATE OR REPLACE TRIGGER integrations_callback_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.integrations_providercallback
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.integrations_refuse();
CREATE OR REPLACE TRIGGER integrations_registration_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.integrations_addressregistration
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.integrations_refuse();
CREATE OR REPLACE TRIGGER integrations_reading_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.integrations_providerbalancereading
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.integrations_refuse();
