-- Who lets a person in knows his link, so another one confirms him, whoever asks; where there is none, he himself a day
-- later. Who was turned away is let in anew first. Repeatable. {s} = quoted schema.
CREATE OR REPLACE FUNCTION {s}.access_guard_confirmation() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE others boolean;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.confirmed_at IS NOT NULL AND NEW.confirmed_at IS NOT NULL THEN
    IF (OLD.confirmed_at, OLD.confirmed_by_id, OLD.admitted_by_id)
       IS DISTINCT FROM (NEW.confirmed_at, NEW.confirmed_by_id, NEW.admitted_by_id) THEN
      RAISE EXCEPTION 'access: membership % is confirmed', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.turned_away_at IS NOT NULL THEN
    IF NEW.turned_away_at IS NULL AND NEW.confirmed_at IS NOT NULL AND NEW.admitted_by_id IS NOT NULL THEN
      RAISE EXCEPTION 'access: membership % was turned away', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF TG_OP = 'UPDATE' AND OLD.admitted_by_id IS NOT NULL AND NEW.admitted_by_id IS NULL THEN
    RAISE EXCEPTION 'access: membership % was let in by somebody', NEW.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.admitted_at IS NOT NULL AND (NEW.admitted_at >= OLD.admitted_at) IS NOT TRUE THEN
    RAISE EXCEPTION 'access: membership % began later', NEW.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.confirmed_at IS NULL OR NEW.admitted_by_id IS NULL THEN
    RETURN NEW;
  END IF;
  IF NEW.confirmed_by_id IS NOT NULL THEN
    PERFORM 1 FROM access_membership m JOIN access_role r ON r.id = m.role_id
      WHERE m.id = NEW.confirmed_by_id AND m.is_active AND 'access.manage' = ANY (r.permissions);
    IF NOT FOUND THEN
      RAISE EXCEPTION 'access: who confirms membership % does not manage the team', NEW.id
        USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  SELECT EXISTS (SELECT 1 FROM access_membership m JOIN access_role r ON r.id = m.role_id
    WHERE m.id NOT IN (NEW.admitted_by_id, NEW.id) AND (m.managed_until > NEW.confirmed_at - interval '30 days'
      OR m.is_active AND 'access.manage' = ANY (r.permissions))) INTO others;
  IF others OR (NEW.confirmed_at >= NEW.admitted_at + interval '1 day') IS NOT TRUE THEN
    RAISE EXCEPTION 'access: another one confirms membership %', NEW.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;
DROP TRIGGER IF EXISTS access_guard_confirmation ON {s}.access_membership;
CREATE TRIGGER access_guard_confirmation
  BEFORE INSERT OR UPDATE OF confirmed_at, confirmed_by_id, admitted_by_id, admitted_at, turned_away_at ON {s}.access_membership
  FOR EACH ROW EXECUTE FUNCTION {s}.access_guard_confirmation();
