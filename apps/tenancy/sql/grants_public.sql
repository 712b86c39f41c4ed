-- The shared schema for the application role: rows of shared tables, no structure. Repeatable.
GRANT USAGE ON SCHEMA public TO treasury_app;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM treasury_app, PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO treasury_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO treasury_app;
REVOKE INSERT, UPDATE, DELETE ON public.django_migrations, public.tenancy_schemasnapshot FROM treasury_app;
REVOKE DELETE ON public.tenancy_organisation, public.tenancy_datakey, public.tenancy_provisioning, public.tenancy_offboarding, public.accounts_user FROM treasury_app;
REVOKE UPDATE, DELETE ON public.accounts_platformrecord FROM treasury_app;
REVOKE INSERT, UPDATE, DELETE ON public.accounts_platformlink, public.accounts_waitingplatformrecord, public.accounts_trailhead, public.tenancy_organisationhistory FROM treasury_app;
REVOKE ALL ON FUNCTION public.platform_record_store_links FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.platform_record_store_links TO treasury_app;
REVOKE DELETE ON public.tenancy_linkrequest, public.tenancy_invite, public.tenancy_organisationrequest FROM treasury_app;
