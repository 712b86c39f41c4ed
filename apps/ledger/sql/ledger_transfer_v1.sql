-- Book one transaction of two legs in one currency: the fast path. {s} is the quoted schema.
-- Same steps and errors as ledger_post; both are written out in full because a call per leg costs a fifth of the speed.
-- Errors: LG001 no such account in that currency, LG003 limit, LG004 frozen or closed (detail: account id and state),
-- LG005 period closed, LG007 no book, LG008 clock, LG012 malformed, LG013 isolation, LG409 key used for something else.
CREATE OR REPLACE FUNCTION {s}.ledger_transfer(
  p_uid uuid, p_key text, p_request_hash bytea, p_kind text,
  p_debit_account_id bigint, p_credit_account_id bigint, p_currency text, p_amount numeric,
  p_effective_date date, p_event_at timestamptz, p_source_type text, p_source_id uuid,
  p_reference text, p_description text, p_created_by text, p_now timestamptz,
  OUT booked_id bigint, OUT booked_uid uuid, OUT booked_date date, OUT is_replay boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {s}, pg_temp AS $body$
DECLARE
  v_is_fenced boolean;
  v_closed_through date;
  v_timezone text;
  v_is_test boolean;
  v_moves_late boolean;
  v_event_at timestamptz := p_event_at;
  v_hash bytea;
  v_debit_shards smallint;
  v_credit_shards smallint;
  v_debit_first boolean;
  v_is_debit boolean;
  v_account bigint;
  v_shard smallint;
  v_balance ledger_balance;
  v_net numeric;
  v_debit_shard smallint;
  v_debit_net numeric;
  v_debit_version bigint;
  v_credit_shard smallint;
  v_credit_net numeric;
  v_credit_version bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the ledger is written at READ COMMITTED only' USING ERRCODE = 'LG013';
  END IF;
  IF p_debit_account_id = p_credit_account_id OR p_amount IS NULL OR p_amount <= 0 OR p_amount >= 1e35 OR p_amount <> trunc(p_amount) THEN
    RAISE EXCEPTION 'a transfer moves whole minor units below 10^35 between two accounts' USING ERRCODE = 'LG012';
  END IF;
  IF p_now IS NULL OR p_effective_date NOT BETWEEN '1970-01-01' AND (p_now + interval '10 years')::date
     OR p_event_at NOT BETWEEN '1970-01-01' AND p_now + interval '10 years' THEN
    RAISE EXCEPTION 'a posting is dated from 1970 to ten years ahead' USING ERRCODE = 'LG012';
  END IF;

  -- 0. The fence against a period close, which takes the same lock exclusively; named by this schema's table. It is a
  --    statement of its own: a wait inside a statement would not refresh what that statement sees.
  v_is_fenced := pg_advisory_xact_lock_shared(7401, 'ledger_book'::regclass::oid::integer) IS NULL;
  SELECT b.closed_through, b.timezone, b.is_test, b.late_items = 'NEXT_OPEN', debited.shards, credited.shards
    INTO v_closed_through, v_timezone, v_is_test, v_moves_late, v_debit_shards, v_credit_shards
    FROM ledger_book b
    LEFT JOIN ledger_account debited ON debited.id = p_debit_account_id
    LEFT JOIN ledger_account credited ON credited.id = p_credit_account_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the book is not open' USING ERRCODE = 'LG007';
  END IF;
  booked_date := coalesce(p_effective_date, (p_now AT TIME ZONE v_timezone)::date);
  IF v_moves_late AND booked_date <= v_closed_through THEN
    v_event_at := coalesce(p_event_at, booked_date::timestamp AT TIME ZONE v_timezone);
    booked_date := v_closed_through + 1;
  END IF;

  -- 1. The key decides whether this is new. A concurrent booking of the same key is waited for here.
  INSERT INTO ledger_transaction (
    uid, idem_key, request_hash, kind, effective_date, event_at, posted_at, entry_count, source_type, source_id,
    reference, description, created_by, approved_by, reason, cost_centre, is_forced
  ) VALUES (
    p_uid, p_key, p_request_hash, p_kind, booked_date, v_event_at, p_now, 2, p_source_type, p_source_id,
    p_reference, p_description, p_created_by, '', '', '', false
  ) ON CONFLICT (idem_key) DO NOTHING RETURNING id INTO booked_id;
  IF booked_id IS NULL THEN
    SELECT id, uid, request_hash, effective_date INTO booked_id, booked_uid, v_hash, booked_date FROM ledger_transaction WHERE idem_key = p_key;
    IF v_hash IS DISTINCT FROM p_request_hash THEN
      RAISE EXCEPTION 'key % was used for another booking', p_key USING ERRCODE = 'LG409';
    END IF;
    is_replay := true;
    RETURN;
  END IF;
  booked_uid := p_uid;
  is_replay := false;

  -- 2. What only a new booking must satisfy.
  IF booked_date <= v_closed_through THEN
    RAISE EXCEPTION 'the book is closed through %', v_closed_through USING ERRCODE = 'LG005', DETAIL = v_closed_through::text;
  END IF;
  IF NOT v_is_test AND abs(extract(epoch FROM p_now - clock_timestamp())) > 300 THEN
    RAISE EXCEPTION 'the time % is not within 5 minutes of the database clock', p_now USING ERRCODE = 'LG008';
  END IF;

  -- 3. Move the two balances, always in the same order: hot (sharded) accounts last, then by id. The update is the lock.
  v_debit_first := (v_debit_shards > 1, p_debit_account_id) < (v_credit_shards > 1, p_credit_account_id);
  FOR v_step IN 1..2 LOOP
    v_is_debit := (v_step = 1) = coalesce(v_debit_first, true);
    IF v_is_debit THEN
      v_account := p_debit_account_id;
      v_shard := pg_backend_pid() % v_debit_shards;
    ELSE
      v_account := p_credit_account_id;
      v_shard := pg_backend_pid() % v_credit_shards;
    END IF;
    UPDATE ledger_balance b SET
        posted_debits = b.posted_debits + CASE WHEN v_is_debit THEN p_amount ELSE 0 END,
        posted_credits = b.posted_credits + CASE WHEN v_is_debit THEN 0 ELSE p_amount END,
        version = b.version + 1
      WHERE b.account_id = v_account AND b.shard = v_shard AND b.currency = p_currency
      RETURNING b.* INTO v_balance;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'there is no account % in %', v_account, p_currency USING ERRCODE = 'LG001';
    END IF;
    v_net := v_balance.posted_debits - v_balance.posted_credits;
    IF NOT (CASE WHEN v_is_debit THEN v_balance.can_debit ELSE v_balance.can_credit END) THEN
      RAISE EXCEPTION 'account % takes no such posting', v_account USING ERRCODE = 'LG004',
        DETAIL = v_account || ' ' || (SELECT status FROM ledger_account WHERE id = v_account);
    END IF;
    -- NULL limits compare as unknown: no limit.
    IF (CASE WHEN v_is_debit THEN v_net + v_balance.pending_debits > v_balance.net_ceiling
            ELSE v_net - v_balance.pending_credits < v_balance.net_floor END) THEN
      RAISE EXCEPTION 'account % would pass its limit', v_account USING ERRCODE = 'LG003', DETAIL = v_account::text;
    END IF;
    IF v_is_debit THEN
      v_debit_shard := v_shard; v_debit_net := v_net; v_debit_version := v_balance.version;
    ELSE
      v_credit_shard := v_shard; v_credit_net := v_net; v_credit_version := v_balance.version;
    END IF;
  END LOOP;

  -- 4. The entries. The statement's trigger checks that they balance.
  INSERT INTO ledger_entry (
    transaction_id, seq, account_id, shard, currency, layer, direction, amount, net_after, version, effective_date
  ) VALUES
    (booked_id, 1, p_debit_account_id, v_debit_shard, p_currency, 0, 1, p_amount, v_debit_net, v_debit_version, booked_date),
    (booked_id, 2, p_credit_account_id, v_credit_shard, p_currency, 0, -1, p_amount, v_credit_net, v_credit_version, booked_date);
END $body$;
