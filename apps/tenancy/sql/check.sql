-- shape of one schema as (kind, name, definition), schema name normalised to {s}. Lives in public. Only catalogue reads.
CREATE OR REPLACE FUNCTION public.schema_shape(p_schema text) RETURNS TABLE (kind text, name text, definition text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE ns oid := (SELECT oid FROM pg_namespace WHERE nspname = p_schema); pat text := '\m' || p_schema || '\M';
BEGIN
  IF ns IS NULL THEN RAISE EXCEPTION 'no schema %', p_schema; END IF;
  RETURN QUERY
  WITH acl AS (
    SELECT 'relation grants' k, c.relname::text n, c.relacl a, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" t, c.relowner o FROM pg_class c WHERE c.relnamespace = ns AND c.relkind IN ('r','p','v','m','S','f')
    UNION ALL SELECT 'function grants', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', p.proacl, 'f', p.proowner FROM pg_proc p WHERE p.pronamespace = ns
    UNION ALL SELECT 'schema grants', 'schema', s.nspacl, 'n', s.nspowner FROM pg_namespace s WHERE s.oid = ns
    UNION ALL SELECT 'column grants', c.relname || '.' || at.attname, at.attacl, 'c', c.relowner FROM pg_attribute at JOIN pg_class c ON c.oid = at.attrelid WHERE c.relnamespace = ns AND at.attacl IS NOT NULL
  ), raw(kind, name, definition) AS (
    SELECT 'relation', c.relname::text, concat_ws(' ', c.relkind, c.relpersistence, pg_get_userbyid(c.relowner), c.reloptions::text, 'rls', c.relrowsecurity, c.relforcerowsecurity, 'ri', c.relreplident, CASE WHEN c.relkind IN ('v','m') THEN pg_get_viewdef(c.oid) END)
      FROM pg_class c WHERE c.relnamespace = ns AND c.relkind IN ('r','p','v','m','S','f')
    UNION ALL SELECT 'column', c.relname || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END, 'identity', nullif(a.attidentity::text, ''), 'generated', nullif(a.attgenerated::text, ''), pg_get_expr(d.adbin, d.adrelid))
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE c.relnamespace = ns AND c.relkind IN ('r','p','v','m','f') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT 'constraint', co.conrelid::regclass::text || '.' || co.conname, concat_ws(' ', pg_get_constraintdef(co.oid), CASE WHEN NOT co.convalidated THEN 'NOT VALID' END)
      FROM pg_constraint co WHERE co.connamespace = ns AND co.contype <> 't' AND co.contype <> 'n'
    UNION ALL SELECT 'index', i.relname::text, concat_ws(' ', pg_get_indexdef(i.oid), 'valid', x.indisvalid) FROM pg_class i JOIN pg_index x ON x.indexrelid = i.oid WHERE i.relnamespace = ns
    UNION ALL SELECT 'trigger', c.relname || '.' || t.tgname, concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = ns AND NOT t.tgisinternal
    UNION ALL SELECT 'function', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        concat_ws(' | ', pg_get_userbyid(p.proowner), CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' ELSE 'INVOKER' END, 'config', p.proconfig::text, p.provolatile, p.prosrc, pg_get_function_result(p.oid))
      FROM pg_proc p WHERE p.pronamespace = ns
    UNION ALL SELECT 'sequence', q.sequencename::text, concat_ws(' ', q.data_type, q.start_value, q.increment_by, q.min_value, q.max_value, q.cycle, q.cache_size,
        (SELECT 'owned by ' || d.refobjid::regclass || '.' || d.refobjsubid || ' ' || d.deptype::text FROM pg_depend d JOIN pg_class c ON c.oid = d.objid WHERE c.relnamespace = ns AND c.relname = q.sequencename AND c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.refobjsubid > 0))
      FROM pg_sequences q WHERE q.schemaname = p_schema
    UNION ALL SELECT 'type', t.typname::text, concat_ws(' ', t.typtype, format_type(t.typbasetype, t.typtypmod), (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
      FROM pg_type t WHERE t.typnamespace = ns AND t.typtype IN ('e','d')
    UNION ALL SELECT 'policy', po.polrelid::regclass || '.' || po.polname, concat_ws(' ', po.polcmd, po.polpermissive, po.polroles::text, pg_get_expr(po.polqual, po.polrelid), pg_get_expr(po.polwithcheck, po.polrelid)) FROM pg_policy po JOIN pg_class c ON c.oid = po.polrelid WHERE c.relnamespace = ns
    UNION ALL SELECT acl.k, acl.n || ' -> ' || CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(e.grantee) END, string_agg(e.privilege_type || CASE WHEN e.is_grantable THEN '*' ELSE '' END, ',' ORDER BY e.privilege_type)
      FROM acl, aclexplode(coalesce(acl.a, acldefault(acl.t, acl.o))) e GROUP BY 1, 2
    UNION ALL SELECT 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description FROM pg_description d WHERE
        (d.classoid = 'pg_class'::regclass AND d.objoid IN (SELECT oid FROM pg_class WHERE relnamespace = ns)) OR (d.classoid = 'pg_proc'::regclass AND d.objoid IN (SELECT oid FROM pg_proc WHERE pronamespace = ns))
        OR (d.classoid = 'pg_trigger'::regclass AND d.objoid IN (SELECT t.oid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = ns)) OR (d.classoid = 'pg_constraint'::regclass AND d.objoid IN (SELECT oid FROM pg_constraint WHERE connamespace = ns))
  )
  -- A list (status IN (...)) on a varchar column is printed with other casts and brackets after a dump and restore, so
  -- these are left out of conditions; words, operators and their order are compared.
  SELECT r.kind::text, regexp_replace(r.name, pat, '{s}', 'g'),
    CASE WHEN r.kind IN ('constraint', 'index')
      THEN regexp_replace(regexp_replace(r.definition, pat, '{s}', 'g'), '::(character varying|text)(\[\])?|[()]', '', 'g')
      ELSE regexp_replace(r.definition, pat, '{s}', 'g') END
  FROM raw r;
END $f$;
CREATE OR REPLACE FUNCTION public.schema_drift(p_template text, p_schema text) RETURNS TABLE (kind text, name text, problem text, expected text, found text) LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT coalesce(a.kind, b.kind), coalesce(a.name, b.name), CASE WHEN b.kind IS NULL THEN 'missing' WHEN a.kind IS NULL THEN 'extra' ELSE 'differs' END, a.definition, b.definition
  FROM public.schema_shape(p_template) a FULL JOIN public.schema_shape(p_schema) b USING (kind, name) WHERE a.definition IS DISTINCT FROM b.definition ORDER BY 1, 2
$f$;
-- fingerprint for the nightly check of all schemas: one row each, no template needed
CREATE OR REPLACE FUNCTION public.schema_fingerprint(p_schema text) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT md5(string_agg(kind || chr(1) || name || chr(1) || definition, chr(2) ORDER BY kind COLLATE "C", name COLLATE "C", definition COLLATE "C")) FROM public.schema_shape(p_schema) $f$;
