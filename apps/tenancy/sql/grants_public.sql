-- The shared schema for the application role: rows of the tables that the lists in the database settings name, no structure.
-- A table that stands in no list is not even read, so that nothing new is open by oversight. Repeatable.
GRANT USAGE ON SCHEMA public TO treasury_app;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM treasury_app, PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM treasury_app, PUBLIC;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO treasury_app;
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY {read}::text[] || {insert_only}::text[] || {no_delete}::text[] || {all_rows}::text[] LOOP
    EXECUTE format('GRANT SELECT ON public.%I TO treasury_app', t);
  END LOOP;
  FOREACH t IN ARRAY {insert_only}::text[] || {no_delete}::text[] || {all_rows}::text[] LOOP
    EXECUTE format('GRANT INSERT ON public.%I TO treasury_app', t);
  END LOOP;
  FOREACH t IN ARRAY {no_delete}::text[] || {all_rows}::text[] LOOP
    EXECUTE format('GRANT UPDATE ON public.%I TO treasury_app', t);
  END LOOP;
  FOREACH t IN ARRAY {all_rows}::text[] LOOP
    EXECUTE format('GRANT DELETE ON public.%I TO treasury_app', t);
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION public.platform_record_store_links FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.platform_record_store_links TO treasury_app;
