-- Branches form a tree, six levels deep: no branch is below itself, whoever asks. Repeatable. {s} = quoted schema.
CREATE OR REPLACE FUNCTION {s}.access_guard_branch_tree() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {s}, pg_temp AS $f$
DECLARE above uuid; levels integer := 1; below integer;
BEGIN
  IF NEW.parent_id IS NULL THEN
    RETURN NEW;
  END IF;
  -- One change of the tree at a time: two moves that are right alone could make a circle together.
  PERFORM pg_advisory_xact_lock(hashtextextended('access_branch', TG_RELID::bigint));
  above := NEW.parent_id;
  WHILE above IS NOT NULL LOOP
    levels := levels + 1;
    IF above = NEW.id OR levels > 6 THEN
      RAISE EXCEPTION 'access: branch % would be below itself or too deep', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT parent_id INTO above FROM access_branch WHERE id = above;
  END LOOP;
  WITH RECURSIVE tree AS (
    SELECT NEW.id AS id, 0 AS depth
    UNION ALL SELECT b.id, tree.depth + 1 FROM access_branch b JOIN tree ON b.parent_id = tree.id WHERE tree.depth < 6
  ) SELECT max(depth) INTO below FROM tree;
  IF levels + below > 6 THEN
    RAISE EXCEPTION 'access: branch % would be below itself or too deep', NEW.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $f$;
DROP TRIGGER IF EXISTS access_guard_branch_tree ON {s}.access_branch;
CREATE TRIGGER access_guard_branch_tree BEFORE INSERT OR UPDATE OF parent_id ON {s}.access_branch
  FOR EACH ROW EXECUTE FUNCTION {s}.access_guard_branch_tree();
