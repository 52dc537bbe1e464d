-- The files that grew most, by their sizes
-- :since snapshot: against which (default: oldest)
-- :limit rows at most (default: 20)
SELECT name, sum(coalesce(size_after, 0) - coalesce(size_before, 0)) AS size_change,
    count(*) FILTER (WHERE status IN ('added', 'changed')) AS versions, max(taken_at) AS last_change
FROM change
WHERE taken_at_us > CAST(:since AS INTEGER)
GROUP BY name
HAVING size_change > 0
ORDER BY size_change DESC, name
LIMIT CAST(coalesce(:limit, 20) AS INTEGER)
