-- Book one transaction of n legs; legs are parallel arrays, direction +1 debit and -1 credit. {s} is the quoted schema.
-- Several legs may touch one account, all on one side. Steps and errors: see ledger_transfer.
CREATE OR REPLACE FUNCTION {s}.ledger_post(
  p_uid uuid, p_key text, p_request_hash bytea, p_kind text,
  p_account_ids bigint[], p_currencies text[], p_directions smallint[], p_amounts numeric[],
  p_effective_date date, p_event_at timestamptz, p_source_type text, p_source_id uuid,
  p_reference text, p_description text, p_created_by text, p_now timestamptz,
  OUT booked_id bigint, OUT booked_uid uuid, OUT is_replay boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_closed_through date;
  v_timezone text;
  v_is_test boolean;
  v_date date;
  v_hash bytea;
  v_legs integer := cardinality(p_account_ids);
  v_side record;
  v_shard smallint;
  v_balance ledger_balance;
  v_net numeric;
  v_moved_accounts bigint[] := '{}';
  v_moved_shards smallint[] := '{}';
  v_nets_before numeric[] := '{}';
  v_versions_before bigint[] := '{}';
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the ledger is written at READ COMMITTED only' USING ERRCODE = 'LG013';
  END IF;
  IF v_legs IS NULL OR v_legs NOT BETWEEN 2 AND 10000 OR cardinality(p_currencies) IS DISTINCT FROM v_legs
     OR cardinality(p_directions) IS DISTINCT FROM v_legs OR cardinality(p_amounts) IS DISTINCT FROM v_legs
     OR EXISTS (
       SELECT FROM unnest(p_account_ids, p_directions, p_amounts) AS leg (account_id, direction, amount)
       WHERE NOT coalesce(leg.direction IN (1, -1) AND leg.amount > 0 AND leg.amount = trunc(leg.amount), false)
     ) OR EXISTS (
       SELECT FROM unnest(p_account_ids, p_directions) AS leg (account_id, direction)
       GROUP BY leg.account_id HAVING min(leg.direction) <> max(leg.direction)
     ) THEN
    RAISE EXCEPTION 'a posting has two or more legs of whole minor units, no account on both sides' USING ERRCODE = 'LG012';
  END IF;

  PERFORM pg_advisory_xact_lock_shared(7401, 'ledger_book'::regclass::oid::integer);
  SELECT closed_through, timezone, b.is_test INTO v_closed_through, v_timezone, v_is_test FROM ledger_book b;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the book is not open' USING ERRCODE = 'LG007';
  END IF;
  v_date := coalesce(p_effective_date, (p_now AT TIME ZONE v_timezone)::date);

  INSERT INTO ledger_transaction (
    uid, idem_key, request_hash, kind, effective_date, event_at, posted_at, entry_count, source_type, source_id,
    reference, description, created_by, approved_by, reason, cost_centre
  ) VALUES (
    p_uid, p_key, p_request_hash, p_kind, v_date, p_event_at, p_now, v_legs, p_source_type, p_source_id,
    p_reference, p_description, p_created_by, '', '', ''
  ) ON CONFLICT (idem_key) DO NOTHING RETURNING id INTO booked_id;
  IF booked_id IS NULL THEN
    SELECT id, uid, request_hash INTO booked_id, booked_uid, v_hash FROM ledger_transaction WHERE idem_key = p_key;
    IF v_hash IS DISTINCT FROM p_request_hash THEN
      RAISE EXCEPTION 'key % was used for another booking', p_key USING ERRCODE = 'LG409';
    END IF;
    is_replay := true;
    RETURN;
  END IF;
  booked_uid := p_uid;
  is_replay := false;

  IF v_date <= v_closed_through THEN
    RAISE EXCEPTION 'the book is closed through %', v_closed_through USING ERRCODE = 'LG005', DETAIL = v_closed_through::text;
  END IF;
  IF NOT v_is_test AND abs(extract(epoch FROM p_now - clock_timestamp())) > 300 THEN
    RAISE EXCEPTION 'the time % is not within 5 minutes of the database clock', p_now USING ERRCODE = 'LG008';
  END IF;

  -- One update per account, hot accounts last, then by id. The update is the lock; never one set-based statement, whose
  -- order of locks nobody guarantees.
  FOR v_side IN
    SELECT leg.account_id, leg.currency, leg.direction, sum(leg.amount) AS amount, count(*) AS legs, account.shards
    FROM unnest(p_account_ids, p_currencies, p_directions, p_amounts) AS leg (account_id, currency, direction, amount)
    LEFT JOIN ledger_account account ON account.id = leg.account_id
    GROUP BY leg.account_id, leg.currency, leg.direction, account.shards
    ORDER BY account.shards > 1, leg.account_id
  LOOP
    v_shard := pg_backend_pid() % v_side.shards;
    UPDATE ledger_balance b SET
        posted_debits = b.posted_debits + CASE WHEN v_side.direction = 1 THEN v_side.amount ELSE 0 END,
        posted_credits = b.posted_credits + CASE WHEN v_side.direction = 1 THEN 0 ELSE v_side.amount END,
        version = b.version + v_side.legs
      WHERE b.account_id = v_side.account_id AND b.shard = v_shard AND b.currency = v_side.currency
      RETURNING b.* INTO v_balance;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'there is no account % in %', v_side.account_id, v_side.currency USING ERRCODE = 'LG001';
    END IF;
    v_net := v_balance.posted_debits - v_balance.posted_credits;
    IF NOT (CASE WHEN v_side.direction = 1 THEN v_balance.can_debit ELSE v_balance.can_credit END) THEN
      RAISE EXCEPTION 'account % takes no such posting', v_side.account_id USING ERRCODE = 'LG004',
        DETAIL = v_side.account_id || ' ' || (SELECT status FROM ledger_account WHERE id = v_side.account_id);
    END IF;
    IF (CASE WHEN v_side.direction = 1 THEN v_net + v_balance.pending_debits > v_balance.net_ceiling
            ELSE v_net - v_balance.pending_credits < v_balance.net_floor END) THEN
      RAISE EXCEPTION 'account % would pass its limit', v_side.account_id
        USING ERRCODE = 'LG003', DETAIL = v_side.account_id::text;
    END IF;
    v_moved_accounts := v_moved_accounts || v_side.account_id;
    v_moved_shards := v_moved_shards || v_shard;
    v_nets_before := v_nets_before || (v_net - v_side.direction * v_side.amount);
    v_versions_before := v_versions_before || (v_balance.version - v_side.legs);
  END LOOP;

  INSERT INTO ledger_entry (
    transaction_id, seq, account_id, shard, currency, layer, direction, amount, net_after, version, effective_date
  )
  SELECT booked_id, leg.seq, leg.account_id, moved.shard, leg.currency, 0, leg.direction, leg.amount,
    moved.net_before + sum(leg.direction * leg.amount) OVER running, moved.version_before + row_number() OVER running, v_date
  FROM unnest(p_account_ids, p_currencies, p_directions, p_amounts)
    WITH ORDINALITY AS leg (account_id, currency, direction, amount, seq)
  JOIN unnest(v_moved_accounts, v_moved_shards, v_nets_before, v_versions_before)
    AS moved (account_id, shard, net_before, version_before) ON moved.account_id = leg.account_id
  WINDOW running AS (PARTITION BY leg.account_id ORDER BY leg.seq);
END $body$;
