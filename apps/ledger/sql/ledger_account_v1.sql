-- The only ways in which the application writes the book, currencies, accounts, limits and states.
-- {s} is the quoted schema. Errors: LG001 no such account, LG004 closed, LG012 malformed, LG014 other exponent,
-- LG015 account not empty, LG016 no line in the chart.

-- Return the account of a role, owner, branch and currency; open it with the next code of the role's block if need be.
-- An account without a role's line (GENERAL) names its line. A role that the chart does not know yet gets its line, under
-- the heading that holds its code. The first account opens the book, with the last four arguments; a book that is open
-- stays as it is.
CREATE OR REPLACE FUNCTION {s}.ledger_open_account(
  p_uid uuid, p_role text, p_owner_type text, p_owner_id uuid, p_branch_id uuid, p_currency text, p_exponent smallint,
  p_type text, p_line_name text, p_name text, p_code integer, p_width integer, p_shards smallint, p_now timestamptz,
  p_functional_currency text, p_timezone text, p_is_test boolean, p_fiscal_year_start smallint DEFAULT 1
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_id bigint;
  v_count bigint;
  v_line ledger_chartline;
BEGIN
  SELECT id INTO v_id FROM ledger_account
    WHERE role = p_role AND owner_id IS NOT DISTINCT FROM p_owner_id AND branch_id = p_branch_id AND currency = p_currency;
  IF FOUND THEN
    RETURN v_id;
  END IF;

  -- One opening at a time per organisation: codes are handed out without gaps. The lock is named by this schema's table.
  PERFORM pg_advisory_xact_lock(7402, 'ledger_account'::regclass::oid::integer);
  SELECT id INTO v_id FROM ledger_account
    WHERE role = p_role AND owner_id IS NOT DISTINCT FROM p_owner_id AND branch_id = p_branch_id AND currency = p_currency;
  IF FOUND THEN
    RETURN v_id;
  END IF;

  IF NOT EXISTS (SELECT FROM ledger_book) THEN
    PERFORM clock_timestamp() AT TIME ZONE p_timezone;  -- refuses an unknown zone
    INSERT INTO ledger_book (id, functional_currency, timezone, is_test, fiscal_year_start)
      VALUES (1, p_functional_currency, p_timezone, p_is_test, p_fiscal_year_start);
  END IF;

  -- ISO 4217 has no exponent above 4.
  INSERT INTO ledger_currency (code, exponent, kind)
    VALUES (p_currency, p_exponent, CASE WHEN p_exponent > 4 THEN 'CRYPTO' ELSE 'FIAT' END) ON CONFLICT (code) DO NOTHING;
  IF NOT EXISTS (SELECT FROM ledger_currency WHERE code = p_currency AND exponent = p_exponent) THEN
    RAISE EXCEPTION 'currency % is kept with another exponent than %', p_currency, p_exponent USING ERRCODE = 'LG014';
  END IF;

  SELECT * INTO v_line FROM ledger_chartline
    WHERE CASE WHEN p_role = 'GENERAL' THEN id = p_owner_id AND role IS NULL ELSE role = p_role END;
  IF NOT FOUND AND p_role <> 'GENERAL' THEN
    INSERT INTO ledger_chartline (id, code, name, type, is_heading, role, width, shards)
      VALUES (p_uid, p_code::text, p_line_name, p_type, false, p_role, p_width, p_shards) RETURNING * INTO v_line;
  END IF;
  IF v_line.id IS NULL OR v_line.is_heading THEN
    RAISE EXCEPTION 'the chart has no line for this account' USING ERRCODE = 'LG016';
  END IF;
  SELECT count(*) INTO v_count FROM ledger_account WHERE line_id = v_line.id;
  INSERT INTO ledger_account (
    uid, code, name, line_id, role, owner_type, owner_id, branch_id, currency, type, shards, status, opened_at
  ) VALUES (
    p_uid,
    CASE WHEN v_count = 0 THEN v_line.code
         WHEN v_count < v_line.width AND v_line.code ~ '^[0-9]{1,9}$' THEN (v_line.code::bigint + v_count)::text
         ELSE v_line.code || '.' || (v_count + 1) END,
    coalesce(nullif(p_name, ''), v_line.name), v_line.id, p_role, p_owner_type, p_owner_id, p_branch_id, p_currency,
    v_line.type, v_line.shards, 'OPEN', p_now
  ) RETURNING id INTO v_id;
  INSERT INTO ledger_balance (
    account_id, shard, currency, posted_debits, posted_credits, pending_debits, pending_credits, limits_version,
    can_debit, can_credit, version
  ) SELECT v_id, n, p_currency, 0, 0, 0, 0, 0, true, true, 0 FROM generate_series(0, v_line.shards - 1) AS n;
  RETURN v_id;
END $body$;

-- Return the account of a role, owner, branch and currency, or NULL.
CREATE OR REPLACE FUNCTION {s}.ledger_find_account(p_role text, p_owner_id uuid, p_branch_id uuid, p_currency text)
  RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
BEGIN
  IF p_owner_id IS NULL THEN
    RETURN (SELECT id FROM ledger_account
      WHERE role = p_role AND owner_id IS NULL AND branch_id = p_branch_id AND currency = p_currency);
  END IF;
  RETURN (SELECT id FROM ledger_account
    WHERE role = p_role AND owner_id = p_owner_id AND branch_id = p_branch_id AND currency = p_currency);
END $body$;

-- Set or lift (NULL) the limits of an account that has one balance row. They bind postings from now on.
CREATE OR REPLACE FUNCTION {s}.ledger_set_limits(p_account_id bigint, p_net_floor numeric, p_net_ceiling numeric)
  RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_shards smallint;
BEGIN
  SELECT shards INTO v_shards FROM ledger_account WHERE id = p_account_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no account %', p_account_id USING ERRCODE = 'LG001';
  END IF;
  IF v_shards > 1 THEN
    RAISE EXCEPTION 'account % is sharded and cannot have limits', p_account_id USING ERRCODE = 'LG012';
  END IF;
  IF p_net_floor > p_net_ceiling OR p_net_floor <> trunc(p_net_floor) OR p_net_ceiling <> trunc(p_net_ceiling)
     OR greatest(abs(p_net_floor), abs(p_net_ceiling)) >= 1e35 THEN
    RAISE EXCEPTION 'limits are whole minor units below 10^35, the floor not above the ceiling' USING ERRCODE = 'LG012';
  END IF;
  UPDATE ledger_balance SET net_floor = p_net_floor, net_ceiling = p_net_ceiling, limits_version = version
    WHERE account_id = p_account_id;
END $body$;

-- Freeze, open again or close an account. A closed one is empty and stays closed.
CREATE OR REPLACE FUNCTION {s}.ledger_set_status(p_account_id bigint, p_status text)
  RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_status text;
BEGIN
  PERFORM FROM ledger_balance WHERE account_id = p_account_id ORDER BY shard FOR UPDATE;
  SELECT status INTO v_status FROM ledger_account WHERE id = p_account_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no account %', p_account_id USING ERRCODE = 'LG001';
  END IF;
  IF v_status = 'CLOSED' AND p_status <> 'CLOSED' THEN
    RAISE EXCEPTION 'account % is closed', p_account_id USING ERRCODE = 'LG004', DETAIL = p_account_id || ' CLOSED';
  END IF;
  IF p_status = 'CLOSED' AND EXISTS (
    SELECT FROM ledger_balance WHERE account_id = p_account_id
    HAVING sum(posted_debits) <> sum(posted_credits) OR sum(pending_debits) <> 0 OR sum(pending_credits) <> 0
  ) THEN
    RAISE EXCEPTION 'account % is not empty', p_account_id USING ERRCODE = 'LG015';
  END IF;
  UPDATE ledger_account SET status = p_status WHERE id = p_account_id;
  UPDATE ledger_balance SET can_debit = (p_status = 'OPEN'), can_credit = (p_status = 'OPEN')
    WHERE account_id = p_account_id;
END $body$;
