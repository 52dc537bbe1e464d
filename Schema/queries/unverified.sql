-- Objects that were not read and checked for a while, the longest first
-- :days how long (default: 30)
SELECT md5, size, verified_at, verify_result
FROM object
WHERE present = 1
    AND (verified_at IS NULL
        OR verified_at < strftime('%Y-%m-%dT%H:%M:%S', 'now', '-' || CAST(coalesce(:days, 30) AS INTEGER) || ' days'))
ORDER BY verified_at, md5
