-- What forgetting snapshots would free: contents that no other snapshot names
-- :snapshots their times or beginnings of them as in taken_at, with commas between: 2026-01,2026-02-03
WITH gone AS (
    SELECT DISTINCT s.id
    FROM json_each('["' || replace(replace(:snapshots, ' ', ''), ',', '","') || '"]') AS wanted
    JOIN snapshot AS s ON substr(s.taken_at, 1, length(wanted.value)) = wanted.value
), kept AS MATERIALIZED (
    SELECT taken_at_us FROM snapshot WHERE status <> 'damaged' AND id NOT IN (SELECT id FROM gone)
)
SELECT (SELECT count(*) FROM gone) AS snapshots, count(*) AS contents, coalesce(sum(size), 0) AS bytes
FROM (
    SELECT max(v.size) AS size
    FROM file_version AS v
    WHERE v.md5 IS NOT NULL
    GROUP BY v.md5
    HAVING NOT max(EXISTS (
        SELECT 1 FROM kept AS k
        WHERE k.taken_at_us >= v.valid_from_us AND (v.valid_to_us IS NULL OR k.taken_at_us < v.valid_to_us)))
)
