-- Files that are gone from the latest snapshot, the newest loss first
-- :since snapshot: lost after it (default: oldest)
SELECT c.name, max(c.taken_at) AS removed_at, c.size_before AS size, c.md5_before AS md5
FROM change AS c
WHERE c.status = 'removed'
    AND c.taken_at_us > CAST(:since AS INTEGER)
    AND NOT EXISTS (SELECT 1 FROM current_file AS f WHERE f.name = c.name)
GROUP BY c.name
ORDER BY removed_at DESC, c.name
