-- The files whose contents change most often: candidates for exclusion
-- :limit rows at most (default: 20)
SELECT name, count(*) AS changes, sum(size_after) AS bytes, min(taken_at) AS first_change, max(taken_at) AS last_change
FROM change
WHERE status = 'changed'
GROUP BY name
ORDER BY changes DESC, bytes DESC, name
LIMIT CAST(coalesce(:limit, 20) AS INTEGER)
