-- Where the audit trails had come to is only ever added, by the functions that store links. Repeatable.
CREATE OR REPLACE TRIGGER trail_heads_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.accounts_trailhead
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.platform_record_refuse();
