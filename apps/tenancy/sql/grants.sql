-- One organisation's schema for the application role: rows of ordinary tables, and what the lists in the database settings
-- take back. A test holds every insert-only model and every ledger table to these lists. Repeatable.
GRANT USAGE ON SCHEMA {schema} TO treasury_app;
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM treasury_app, PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM treasury_app, PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM treasury_app, PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO treasury_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO treasury_app;
DO $$ DECLARE r record; BEGIN
  FOR r IN SELECT c.oid::regclass AS t FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = {schema_name} AND c.relkind IN ('r', 'p', 'v') AND c.relname = ANY ({no_write}) LOOP
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM treasury_app', r.t);
  END LOOP;
  FOR r IN SELECT c.oid::regclass AS t FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = {schema_name} AND c.relkind IN ('r', 'p') AND c.relname = ANY ({insert_only}) LOOP
    EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM treasury_app', r.t);
  END LOOP;
  FOR r IN SELECT c.oid::regclass AS t FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = {schema_name} AND c.relkind IN ('r', 'p') AND c.relname = ANY ({no_delete}) LOOP
    EXECUTE format('REVOKE DELETE ON %s FROM treasury_app', r.t);
  END LOOP;
  FOR r IN SELECT p.oid::regprocedure AS f FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE n.nspname = {schema_name} AND p.proname = ANY ({functions}) LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO treasury_app', r.f);
  END LOOP;
END $$;
