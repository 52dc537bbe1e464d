-- The largest folders of a snapshot, all that is below them counted
-- :at snapshot: which one (default: latest)
-- :limit rows at most (default: 20)
WITH RECURSIVE own AS MATERIALIZED (
    SELECT dir, count(*) AS files, sum(size) AS bytes
    FROM snapshot_file
    WHERE snapshot_id = (
        SELECT id FROM snapshot
        WHERE taken_at_us = CAST(:at AS INTEGER))
    GROUP BY dir
), up(dir, files, bytes) AS (
    SELECT dir, files, bytes FROM own WHERE dir <> ''
    UNION ALL
    -- All but the last component.
    SELECT rtrim(rtrim(dir, replace(dir, '/', '')), '/'), files, bytes FROM up WHERE instr(dir, '/') > 0
)
SELECT dir, sum(files) AS files, sum(bytes) AS bytes
FROM up
GROUP BY dir
ORDER BY bytes DESC, dir
LIMIT CAST(coalesce(:limit, 20) AS INTEGER)
