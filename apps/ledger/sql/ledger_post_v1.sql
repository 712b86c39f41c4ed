-- Book transactions of n legs, one or a batch, all of them or none. {s} is the quoted schema. Steps and errors: see
-- ledger_transfer. Transactions and legs are parallel arrays; a leg names its transaction by the place in the first ones.
-- Direction +1 is debit, -1 credit; layer 0 is posted, 1 pending, of holds alone, where a negative amount takes back. Several legs of
-- a transaction may touch one account, on each layer all on one side. ``p_force`` passes over limits, and in the closing of a year
-- and its reversal over the states of income, expense and equity. The detail of LG409 is the place.
CREATE OR REPLACE FUNCTION {s}.ledger_post(
  p_uids uuid[], p_keys text[], p_hashes bytea[], p_kinds text[], p_effective_dates date[], p_event_ats timestamptz[],
  p_source_types text[], p_source_ids uuid[], p_references text[], p_descriptions text[], p_approved_bys text[],
  p_reasons text[], p_reverses bigint[], p_holds bigint[], p_cost_centres text[], p_dimensions jsonb[],
  p_transactions integer[], p_account_ids bigint[], p_currencies text[], p_layers smallint[], p_directions smallint[],
  p_amounts numeric[], p_created_by text, p_now timestamptz, p_force boolean
) RETURNS TABLE (place integer, booked_id bigint, booked_uid uuid, booked_date date, is_replay boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp
  SET plan_cache_mode = force_generic_plan SET random_page_cost = 0.01 AS $body$
#variable_conflict use_column
DECLARE
  v_closed_through date;
  v_timezone text;
  v_is_test boolean;
  v_moves_late boolean;
  v_places integer := cardinality(p_keys);
  v_legs integer := cardinality(p_account_ids);
  v_first_date CONSTANT date := '1970-01-01';
  v_last_date CONSTANT date := p_now + interval '10 years';
  v_passes_states boolean := false;
  v_ids bigint[];
  v_dates date[];
  v_reused record;
  v_accounts bigint[];
  v_shards smallint[];
  v_debits numeric[];
  v_credits numeric[];
  v_held_debits numeric[];
  v_held_credits numeric[];
  v_counts integer[];
  v_nets numeric[];
  v_versions bigint[];
  v_locked bigint;
  v_barred bigint;
  v_limited bigint;
  v_unheld bigint;
  v_missing record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the ledger is written at READ COMMITTED only' USING ERRCODE = 'LG013';
  END IF;
  IF v_places IS NULL OR v_places NOT BETWEEN 1 AND 1000 OR v_legs IS NULL OR v_legs > 10000 OR p_now IS NULL OR p_force IS NULL
     OR EXISTS (
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
    RAISE EXCEPTION 'a batch has 1 to 1000 transactions, at most 10000 legs, and arrays of one length' USING ERRCODE = 'LG012';
  END IF;
  IF EXISTS (
       SELECT FROM unnest(p_transactions, p_account_ids, p_layers, p_directions, p_amounts)
         AS leg (place, account_id, layer, direction, amount)
       GROUP BY leg.place, leg.account_id, leg.layer
       HAVING (min(leg.direction) <> max(leg.direction) AND leg.account_id IS NOT NULL) OR NOT bool_and(coalesce(
         leg.place BETWEEN 1 AND v_places AND leg.direction IN (1, -1) AND leg.amount = trunc(leg.amount)
         AND abs(leg.amount) < 1e35
         AND CASE leg.layer WHEN 0 THEN leg.amount > 0 ELSE leg.layer = 1 AND leg.amount <> 0
           AND p_kinds[leg.place] IN ('HOLD', 'CAPTURE', 'RELEASE', 'EXPIRY') END,
         false
       ))
     ) OR (
       SELECT count(*) <> v_places OR min(legs) < 2
       FROM (SELECT count(*) AS legs FROM unnest(p_transactions) AS leg (place) GROUP BY leg.place) AS of_place
     ) THEN
    RAISE EXCEPTION 'a posting has two or more legs of whole minor units below 10^35, no account on both sides' USING ERRCODE = 'LG012';
  END IF;
  IF EXISTS (
    SELECT FROM unnest(p_effective_dates, p_event_ats) AS given (effective_date, event_at)
    WHERE given.effective_date NOT BETWEEN v_first_date AND v_last_date
      OR given.event_at NOT BETWEEN v_first_date AND v_last_date
  ) THEN
    RAISE EXCEPTION 'a posting is dated from % to %', v_first_date, v_last_date USING ERRCODE = 'LG012';
  END IF;

  PERFORM pg_advisory_xact_lock_shared(7401, 'ledger_book'::regclass::oid::integer);
  SELECT closed_through, timezone, b.is_test, late_items = 'NEXT_OPEN'
    INTO v_closed_through, v_timezone, v_is_test, v_moves_late FROM ledger_book b;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the book is not open' USING ERRCODE = 'LG007';
  END IF;

  -- In the order of their keys, so that two batches with the same keys wait for each other and never in a circle.
  WITH given AS (
    SELECT header.*, coalesce(header.effective_date, (p_now AT TIME ZONE v_timezone)::date) AS said,
      row_number() OVER (PARTITION BY header.key ORDER BY header.place) = 1 AS is_first
    FROM unnest(
      p_uids, p_keys, p_hashes, p_kinds, p_effective_dates, p_event_ats, p_source_types, p_source_ids, p_references,
      p_descriptions, p_approved_bys, p_reasons, p_reverses, p_holds, p_cost_centres, p_dimensions
    ) WITH ORDINALITY AS header (
      uid, key, hash, kind, effective_date, event_at, source_type, source_id, reference,
      description, approved_by, reason, reverses, hold, cost_centre, dimensions, place
    )
  ), booked AS (
    INSERT INTO ledger_transaction (
      uid, idem_key, request_hash, kind, effective_date, event_at, posted_at, entry_count, source_type, source_id,
      reference, description, created_by, approved_by, reason, reverses_id, hold_id, cost_centre, dimensions, is_forced
    )
    SELECT uid, key, hash, kind,
      CASE WHEN v_moves_late AND said <= v_closed_through THEN v_closed_through + 1 ELSE said END,
      CASE WHEN v_moves_late AND said <= v_closed_through
        THEN coalesce(event_at, said::timestamp AT TIME ZONE v_timezone) ELSE event_at END,
      p_now, legs.count, source_type, source_id, reference, description,
      p_created_by, approved_by, reason, reverses, hold, cost_centre, dimensions, p_force
    FROM given
    JOIN (SELECT leg.place, count(*) FROM unnest(p_transactions) AS leg (place) GROUP BY leg.place) AS legs USING (place)
    WHERE is_first ORDER BY key
    ON CONFLICT (idem_key) DO NOTHING RETURNING id, idem_key, effective_date
  )
  SELECT array_agg(booked.id ORDER BY place), array_agg(booked.effective_date ORDER BY place) INTO v_ids, v_dates
    FROM given LEFT JOIN booked ON booked.idem_key = given.key AND given.is_first;

  IF array_position(v_ids, NULL) IS NOT NULL THEN
    SELECT given.key, given.place INTO v_reused
      FROM unnest(p_keys, p_hashes, v_ids) WITH ORDINALITY AS given (key, hash, id, place)
      JOIN ledger_transaction t ON t.idem_key = given.key
      WHERE given.id IS NULL AND t.request_hash IS DISTINCT FROM given.hash ORDER BY given.place LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'key % was used for another booking', v_reused.key USING ERRCODE = 'LG409', DETAIL = v_reused.place::text;
    END IF;
  END IF;

  IF EXISTS (SELECT FROM unnest(v_dates) AS booked (day) WHERE booked.day <= v_closed_through) THEN
    RAISE EXCEPTION 'the book is closed through %', v_closed_through USING ERRCODE = 'LG005', DETAIL = v_closed_through::text;
  END IF;
  IF NOT v_is_test AND abs(extract(epoch FROM p_now - clock_timestamp())) > 300
     AND EXISTS (SELECT FROM unnest(v_ids) AS booked (id) WHERE booked.id IS NOT NULL) THEN
    RAISE EXCEPTION 'the time % is not within 5 minutes of the database clock', p_now USING ERRCODE = 'LG008';
  END IF;
  IF p_force THEN
    v_passes_states := NOT EXISTS (
      SELECT FROM unnest(p_kinds, p_reverses) AS given (kind, reverses)
      LEFT JOIN ledger_transaction t ON t.id = given.reverses
      WHERE coalesce(t.kind, given.kind) IS DISTINCT FROM 'CLOSING'
    );
  END IF;

  -- Lock the balances one after another, hot accounts last, then by id: the lock is taken above the sort, and what is read is
  -- what stands there once it is had. What is held is taken back from the row on which it stands, whichever backend does
  -- so: the first one. Holds are counted in limits, which bind only what moves towards them; NULL is no limit.
  SELECT array_agg(account_id), array_agg(shard), array_agg(debits), array_agg(credits), array_agg(held_debits),
      array_agg(held_credits), array_agg(legs), array_agg(net), array_agg(version), coalesce(sum(legs), 0),
      min(account_id) FILTER (WHERE (is_debited AND NOT can_debit OR is_credited AND NOT can_credit)
        AND NOT (v_passes_states AND type IN ('INCOME', 'EXPENSE', 'EQUITY'))),
      min(account_id) FILTER (WHERE net + up + pending_debits + rise > net_ceiling OR net + down - pending_credits + fall < net_floor),
      min(account_id) FILTER (WHERE least(pending_debits + held_debits, pending_credits + held_credits) < 0)
    INTO v_accounts, v_shards, v_debits, v_credits, v_held_debits, v_held_credits, v_counts, v_nets, v_versions, v_locked,
      v_barred, v_limited, v_unheld
    FROM (
      SELECT side.*, b.shard, b.version, b.posted_debits - b.posted_credits AS net, b.pending_debits, b.pending_credits,
        b.net_floor, b.net_ceiling, b.can_debit, b.can_credit
      FROM (
        SELECT account_id, currency, shards, type, sum(legs)::integer AS legs, sum(debits) AS debits, sum(credits) AS credits,
          sum(held_debits) AS held_debits, sum(held_credits) AS held_credits, bool_or(is_held) AS is_held,
          bool_or(is_debited) AS is_debited, bool_or(is_credited) AS is_credited,
          sum(up) AS up, sum(down) AS down, max(rise) FILTER (WHERE up > 0) AS rise, min(fall) FILTER (WHERE down < 0) AS fall
        FROM (
          -- What all transactions of the batch after this one add, taken back: limits bind what each of them leaves behind.
          SELECT *, up - sum(up) OVER later AS rise, down - sum(down) OVER later AS fall
          FROM (
            SELECT leg.place, leg.account_id, leg.currency, account.shards, account.type, count(*) AS legs,
              coalesce(sum(leg.amount) FILTER (WHERE leg.layer = 0 AND leg.direction = 1), 0) AS debits,
              coalesce(sum(leg.amount) FILTER (WHERE leg.layer = 0 AND leg.direction = -1), 0) AS credits,
              coalesce(sum(leg.amount) FILTER (WHERE leg.layer = 1 AND leg.direction = 1), 0) AS held_debits,
              coalesce(sum(leg.amount) FILTER (WHERE leg.layer = 1 AND leg.direction = -1), 0) AS held_credits,
              coalesce(sum(leg.direction * leg.amount) FILTER (WHERE leg.layer = 0 OR leg.direction = 1), 0) AS up,
              coalesce(sum(leg.direction * leg.amount) FILTER (WHERE leg.layer = 0 OR leg.direction = -1), 0) AS down,
              bool_or(leg.direction = 1 AND leg.amount > 0) AS is_debited,
              bool_or(leg.direction = -1 AND leg.amount > 0) AS is_credited, bool_or(leg.layer = 1) AS is_held
            FROM unnest(p_transactions, p_account_ids, p_currencies, p_layers, p_directions, p_amounts)
              AS leg (place, account_id, currency, layer, direction, amount)
            JOIN ledger_account account ON account.id = leg.account_id
            WHERE v_ids[leg.place] IS NOT NULL
            GROUP BY leg.place, leg.account_id, leg.currency, account.shards, account.type
          ) AS change WINDOW later AS (PARTITION BY account_id, currency ORDER BY place DESC)
        ) AS step
        GROUP BY account_id, currency, shards, type
      ) AS side
      JOIN ledger_balance b ON b.account_id = side.account_id AND b.currency = side.currency
        AND b.shard = CASE WHEN side.is_held THEN 0 ELSE pg_backend_pid() % side.shards END
      ORDER BY side.shards > 1, side.account_id FOR NO KEY UPDATE OF b
    ) AS locked;

  IF v_locked <> (SELECT count(*) FROM unnest(p_transactions) AS leg (place) WHERE v_ids[leg.place] IS NOT NULL) THEN
    SELECT leg.account_id, leg.currency INTO v_missing FROM unnest(p_account_ids, p_currencies) AS leg (account_id, currency)
      WHERE NOT EXISTS (SELECT FROM ledger_account a WHERE a.id = leg.account_id AND a.currency = leg.currency) LIMIT 1;
    RAISE EXCEPTION 'there is no account % in %', v_missing.account_id, v_missing.currency USING ERRCODE = 'LG001';
  END IF;
  IF v_barred IS NOT NULL THEN
    RAISE EXCEPTION 'account % takes no such posting', v_barred USING ERRCODE = 'LG004',
      DETAIL = v_barred || ' ' || (SELECT status FROM ledger_account WHERE id = v_barred);
  END IF;
  IF v_limited IS NOT NULL AND NOT p_force THEN
    RAISE EXCEPTION 'account % would pass its limit', v_limited USING ERRCODE = 'LG003', DETAIL = v_limited::text;
  END IF;
  IF v_unheld IS NOT NULL THEN
    RAISE EXCEPTION 'less is held on account %', v_unheld USING ERRCODE = 'LG018';
  END IF;

  UPDATE ledger_balance b SET
      posted_debits = b.posted_debits + side.debits, posted_credits = b.posted_credits + side.credits,
      pending_debits = b.pending_debits + side.held_debits, pending_credits = b.pending_credits + side.held_credits,
      version = b.version + side.legs
    FROM unnest(v_accounts, v_shards, v_debits, v_credits, v_held_debits, v_held_credits, v_counts)
      AS side (account_id, shard, debits, credits, held_debits, held_credits, legs)
    WHERE b.account_id = side.account_id AND b.shard = side.shard;

  INSERT INTO ledger_entry (
    transaction_id, seq, account_id, shard, currency, layer, direction, amount, net_after, version, effective_date
  )
  SELECT v_ids[leg.place], row_number() OVER (PARTITION BY leg.place ORDER BY leg.n), leg.account_id, moved.shard,
    leg.currency, leg.layer, leg.direction, leg.amount,
    moved.net_before + sum(CASE WHEN leg.layer = 0 THEN leg.direction * leg.amount ELSE 0 END) OVER running,
    moved.version_before + row_number() OVER running, v_dates[leg.place]
  FROM unnest(p_transactions, p_account_ids, p_currencies, p_layers, p_directions, p_amounts)
    WITH ORDINALITY AS leg (place, account_id, currency, layer, direction, amount, n)
  JOIN unnest(v_accounts, v_shards, v_nets, v_versions)
    AS moved (account_id, shard, net_before, version_before) ON moved.account_id = leg.account_id
  WHERE v_ids[leg.place] IS NOT NULL
  WINDOW running AS (PARTITION BY leg.account_id ORDER BY leg.place, leg.n);

  RETURN QUERY
    SELECT given.place::integer, coalesce(given.id, replayed.id), coalesce(replayed.uid, given.uid),
      coalesce(given.day, replayed.effective_date), given.id IS NULL
    FROM unnest(p_keys, p_uids, v_ids, v_dates) WITH ORDINALITY AS given (key, uid, id, day, place)
    LEFT JOIN LATERAL (
      SELECT t.id, t.uid, t.effective_date FROM ledger_transaction t WHERE given.id IS NULL AND t.idem_key = given.key
    ) AS replayed ON true
    ORDER BY given.place;
END $body$;
