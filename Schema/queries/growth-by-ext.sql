-- What each kind of file grew by
-- :since snapshot: against which (default: oldest)
SELECT ext, sum(size_change) AS size_change, sum(added) AS added, sum(removed) AS removed
FROM (
    SELECT (SELECT v.ext FROM file_version AS v WHERE v.name = c.name LIMIT 1) AS ext,
        sum(coalesce(size_after, 0) - coalesce(size_before, 0)) AS size_change,
        count(*) FILTER (WHERE status = 'added') AS added, count(*) FILTER (WHERE status = 'removed') AS removed
    FROM change AS c
    WHERE taken_at_us > CAST(:since AS INTEGER)
    GROUP BY name
)
GROUP BY ext
ORDER BY size_change DESC, ext
