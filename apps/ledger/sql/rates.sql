-- Exchange rates are evidence of what was booked by them: only ever inserted, by the owner's role too. Repeatable.
-- {s} is the quoted schema. Error: LG010 append-only.
CREATE OR REPLACE TRIGGER ledger_fx_rate_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.ledger_fxrate
  FOR EACH STATEMENT EXECUTE FUNCTION {s}.ledger_refuse();
