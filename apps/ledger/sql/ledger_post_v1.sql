-- Book transactions of n legs, one or a batch, all of them or none. {s} is the quoted schema. Steps and errors: see
-- ledger_transfer. Transactions and legs are parallel arrays; a leg names its transaction by the place in the first ones.
-- Direction +1 is debit, -1 credit; layer 0 is posted, 1 pending, of holds alone, where a negative amount takes back. Several legs of
-- a transaction may touch one account, on each layer all on one side. ``p_force`` passes over limits.
CREATE OR REPLACE FUNCTION {s}.ledger_post(
  p_uids uuid[], p_keys text[], p_hashes bytea[], p_kinds text[], p_effective_dates date[], p_event_ats timestamptz[],
  p_source_types text[], p_source_ids uuid[], p_references text[], p_descriptions text[], p_approved_bys text[],
  p_reasons text[], p_reverses bigint[], p_holds bigint[], p_cost_centres text[], p_dimensions jsonb[],
  p_transactions integer[], p_account_ids bigint[], p_currencies text[], p_layers smallint[], p_directions smallint[],
  p_amounts numeric[], p_created_by text, p_now timestamptz, p_force boolean
) RETURNS TABLE (place integer, booked_id bigint, booked_uid uuid, booked_date date, is_replay boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
#variable_conflict use_column
DECLARE
  v_closed_through date;
  v_timezone text;
  v_is_test boolean;
  v_moves_late boolean;
  v_places integer := cardinality(p_keys);
  v_legs integer := cardinality(p_account_ids);
  v_ids bigint[];
  v_key text;
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
  IF v_places IS NULL OR v_places NOT BETWEEN 1 AND 1000 OR v_legs IS NULL OR EXISTS (
       SELECT FROM unnest(array[
         cardinality(p_uids), cardinality(p_hashes), cardinality(p_kinds), cardinality(p_effective_dates),
         cardinality(p_event_ats), cardinality(p_source_types), cardinality(p_source_ids), cardinality(p_references),
         cardinality(p_descriptions), cardinality(p_approved_bys), cardinality(p_reasons), cardinality(p_reverses),
         cardinality(p_holds), cardinality(p_cost_centres), cardinality(p_dimensions)
       ]) AS given WHERE given IS DISTINCT FROM v_places
     ) OR EXISTS (
       SELECT FROM unnest(array[
         cardinality(p_transactions), cardinality(p_currencies), cardinality(p_layers), cardinality(p_directions),
         cardinality(p_amounts)
       ]) AS given WHERE given IS DISTINCT FROM v_legs
     ) THEN
    RAISE EXCEPTION 'a batch has 1 to 1000 transactions, and arrays of one length' USING ERRCODE = 'LG012';
  END IF;
  IF EXISTS (
       SELECT FROM unnest(p_transactions, p_account_ids, p_layers, p_directions, p_amounts)
         AS leg (place, account_id, layer, direction, amount)
       GROUP BY leg.place, leg.account_id, leg.layer
       HAVING min(leg.direction) <> max(leg.direction) OR NOT coalesce(bool_and(
         leg.place BETWEEN 1 AND v_places AND leg.direction IN (1, -1) AND leg.amount = trunc(leg.amount)
         AND CASE leg.layer WHEN 0 THEN leg.amount > 0 ELSE leg.layer = 1 AND leg.amount <> 0
           AND p_kinds[leg.place] IN ('HOLD', 'CAPTURE', 'RELEASE', 'EXPIRY') END
       ), false)
     ) OR (
       SELECT count(*) <> v_places OR min(legs) < 2 OR max(legs) > 10000
       FROM (SELECT count(*) AS legs FROM unnest(p_transactions) AS leg (place) GROUP BY leg.place) AS of_place
     ) THEN
    RAISE EXCEPTION 'a posting has two or more legs of whole minor units, no account on both sides' USING ERRCODE = 'LG012';
  END IF;

  PERFORM pg_advisory_xact_lock_shared(7401, 'ledger_book'::regclass::oid::integer);
  SELECT closed_through, timezone, b.is_test, late_items = 'NEXT_OPEN'
    INTO v_closed_through, v_timezone, v_is_test, v_moves_late FROM ledger_book b;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the book is not open' USING ERRCODE = 'LG007';
  END IF;

  -- In the order of their keys, so that two batches with the same keys wait for each other and never in a circle.
  WITH dated AS (
    SELECT place, key, coalesce(p_effective_dates[place], (p_now AT TIME ZONE v_timezone)::date) AS said,
      row_number() OVER (PARTITION BY key ORDER BY place) = 1 AS is_first
    FROM unnest(p_keys) WITH ORDINALITY AS given (key, place)
  ), booked AS (
    INSERT INTO ledger_transaction (
      uid, idem_key, request_hash, kind, effective_date, event_at, posted_at, entry_count, source_type, source_id,
      reference, description, created_by, approved_by, reason, reverses_id, hold_id, cost_centre, dimensions, is_forced
    )
    SELECT p_uids[place], key, p_hashes[place], p_kinds[place],
      CASE WHEN v_moves_late AND said <= v_closed_through THEN v_closed_through + 1 ELSE said END,
      CASE WHEN v_moves_late AND said <= v_closed_through
        THEN coalesce(p_event_ats[place], said::timestamp AT TIME ZONE v_timezone) ELSE p_event_ats[place] END,
      p_now, legs.count, p_source_types[place], p_source_ids[place], p_references[place], p_descriptions[place],
      p_created_by, p_approved_bys[place], p_reasons[place], p_reverses[place], p_holds[place], p_cost_centres[place],
      p_dimensions[place], p_force
    FROM dated
    JOIN (SELECT leg.place, count(*) FROM unnest(p_transactions) AS leg (place) GROUP BY leg.place) AS legs USING (place)
    WHERE is_first ORDER BY key
    ON CONFLICT (idem_key) DO NOTHING RETURNING id, idem_key
  )
  SELECT array_agg(booked.id ORDER BY place) INTO v_ids
    FROM dated LEFT JOIN booked ON booked.idem_key = dated.key AND dated.is_first;

  SELECT key INTO v_key FROM unnest(p_keys, p_hashes, v_ids) AS given (key, hash, id)
    JOIN ledger_transaction t ON t.idem_key = given.key
    WHERE given.id IS NULL AND t.request_hash IS DISTINCT FROM given.hash LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'key % was used for another booking', v_key USING ERRCODE = 'LG409';
  END IF;

  IF v_closed_through IS NOT NULL AND EXISTS (
    SELECT FROM ledger_transaction t WHERE t.id = ANY (v_ids) AND t.effective_date <= v_closed_through
  ) THEN
    RAISE EXCEPTION 'the book is closed through %', v_closed_through USING ERRCODE = 'LG005', DETAIL = v_closed_through::text;
  END IF;
  IF NOT v_is_test AND abs(extract(epoch FROM p_now - clock_timestamp())) > 300
     AND EXISTS (SELECT FROM unnest(v_ids) AS booked (id) WHERE booked.id IS NOT NULL) THEN
    RAISE EXCEPTION 'the time % is not within 5 minutes of the database clock', p_now USING ERRCODE = 'LG008';
  END IF;

  -- One update per account, hot accounts last, then by id. The update is the lock; never one set-based statement, whose
  -- order of locks nobody guarantees.
  FOR v_side IN
    SELECT leg.account_id, leg.currency, account.shards, count(*) AS legs,
      coalesce(sum(leg.amount) FILTER (WHERE leg.layer = 0 AND leg.direction = 1), 0) AS debits,
      coalesce(sum(leg.amount) FILTER (WHERE leg.layer = 0 AND leg.direction = -1), 0) AS credits,
      coalesce(sum(leg.amount) FILTER (WHERE leg.layer = 1 AND leg.direction = 1), 0) AS held_debits,
      coalesce(sum(leg.amount) FILTER (WHERE leg.layer = 1 AND leg.direction = -1), 0) AS held_credits,
      bool_or(leg.direction = 1 AND leg.amount > 0) AS is_debited, bool_or(leg.direction = -1 AND leg.amount > 0) AS is_credited,
      bool_or(leg.layer = 1) AS is_held
    FROM unnest(p_transactions, p_account_ids, p_currencies, p_layers, p_directions, p_amounts)
      AS leg (place, account_id, currency, layer, direction, amount)
    LEFT JOIN ledger_account account ON account.id = leg.account_id
    WHERE v_ids[leg.place] IS NOT NULL
    GROUP BY leg.account_id, leg.currency, account.shards
    ORDER BY account.shards > 1, leg.account_id
  LOOP
    -- What is held is taken back from the row on which it stands, whichever backend does so: the first one.
    v_shard := CASE WHEN v_side.is_held THEN 0 ELSE pg_backend_pid() % v_side.shards END;
    UPDATE ledger_balance b SET
        posted_debits = b.posted_debits + v_side.debits, posted_credits = b.posted_credits + v_side.credits,
        pending_debits = b.pending_debits + v_side.held_debits, pending_credits = b.pending_credits + v_side.held_credits,
        version = b.version + v_side.legs
      WHERE b.account_id = v_side.account_id AND b.shard = v_shard AND b.currency = v_side.currency
      RETURNING b.* INTO v_balance;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'there is no account % in %', v_side.account_id, v_side.currency USING ERRCODE = 'LG001';
    END IF;
    IF (v_side.is_debited AND NOT v_balance.can_debit) OR (v_side.is_credited AND NOT v_balance.can_credit) THEN
      RAISE EXCEPTION 'account % takes no such posting', v_side.account_id USING ERRCODE = 'LG004',
        DETAIL = v_side.account_id || ' ' || (SELECT status FROM ledger_account WHERE id = v_side.account_id);
    END IF;
    v_net := v_balance.posted_debits - v_balance.posted_credits;
    -- Limits bind what each transaction of the batch leaves behind, holds counted, where it moves towards the limit.
    IF NOT p_force AND num_nonnulls(v_balance.net_floor, v_balance.net_ceiling) > 0 AND EXISTS (
      SELECT FROM (
        SELECT up, down,
          v_net + v_balance.pending_debits - sum(up) OVER later + up AS highest,
          v_net - v_balance.pending_credits - sum(down) OVER later + down AS lowest
        FROM (
          SELECT leg.place,
            sum(leg.direction * leg.amount) FILTER (WHERE leg.layer = 0 OR leg.direction = 1) AS up,
            sum(leg.direction * leg.amount) FILTER (WHERE leg.layer = 0 OR leg.direction = -1) AS down
          FROM unnest(p_transactions, p_account_ids, p_layers, p_directions, p_amounts)
            AS leg (place, account_id, layer, direction, amount)
          WHERE leg.account_id = v_side.account_id AND v_ids[leg.place] IS NOT NULL GROUP BY leg.place
        ) AS change (place, up, down) WINDOW later AS (ORDER BY change.place DESC)
      ) AS step WHERE (up > 0 AND highest > v_balance.net_ceiling) OR (down < 0 AND lowest < v_balance.net_floor)
    ) THEN
      RAISE EXCEPTION 'account % would pass its limit', v_side.account_id
        USING ERRCODE = 'LG003', DETAIL = v_side.account_id::text;
    END IF;
    v_moved_accounts := v_moved_accounts || v_side.account_id;
    v_moved_shards := v_moved_shards || v_shard;
    v_nets_before := v_nets_before || (v_net - v_side.debits + v_side.credits);
    v_versions_before := v_versions_before || (v_balance.version - v_side.legs);
  END LOOP;

  INSERT INTO ledger_entry (
    transaction_id, seq, account_id, shard, currency, layer, direction, amount, net_after, version, effective_date
  )
  SELECT v_ids[leg.place], row_number() OVER (PARTITION BY leg.place ORDER BY leg.n), leg.account_id, moved.shard,
    leg.currency, leg.layer, leg.direction, leg.amount,
    moved.net_before + sum(CASE WHEN leg.layer = 0 THEN leg.direction * leg.amount ELSE 0 END) OVER running,
    moved.version_before + row_number() OVER running, t.effective_date
  FROM unnest(p_transactions, p_account_ids, p_currencies, p_layers, p_directions, p_amounts)
    WITH ORDINALITY AS leg (place, account_id, currency, layer, direction, amount, n)
  JOIN unnest(v_moved_accounts, v_moved_shards, v_nets_before, v_versions_before)
    AS moved (account_id, shard, net_before, version_before) ON moved.account_id = leg.account_id
  JOIN ledger_transaction t ON t.id = v_ids[leg.place]
  WINDOW running AS (PARTITION BY leg.account_id ORDER BY leg.place, leg.n);

  RETURN QUERY
    SELECT given.place::integer, t.id, t.uid, t.effective_date, v_ids[given.place] IS NULL
    FROM unnest(p_keys) WITH ORDINALITY AS given (key, place) JOIN ledger_transaction t ON t.idem_key = given.key
    ORDER BY given.place;
END $body$;
