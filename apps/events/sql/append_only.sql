-- Events and attempts are only ever inserted. The grants are the wall, these triggers also hold for the owner's role.
CREATE OR REPLACE FUNCTION {s}.events_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, {s}, pg_temp AS $f$
BEGIN
  RAISE EXCEPTION 'events: %.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $f$;
CREATE OR REPLACE TRIGGER events_outbox_append_only BEFORE UPDATE OR DELETE ON {s}.events_outboxevent
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.events_refuse();
CREATE OR REPLACE TRIGGER events_attempt_append_only BEFORE UPDATE OR DELETE ON {s}.events_webhookattempt
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.events_refuse();
