-- Bytes of each snapshot: all, new in it, and in no other
SELECT s.taken_at, s.path, s.files, s.bytes, s.new_bytes, coalesce(u.bytes, 0) AS unique_bytes
FROM snapshot AS s
LEFT JOIN (
    SELECT snapshot_id, sum(size) AS bytes
    FROM (
        SELECT md5, max(size) AS size, min(first_snapshot_id) AS snapshot_id
        FROM file_version
        WHERE md5 IS NOT NULL
        GROUP BY md5
        HAVING min(first_snapshot_id) = max(first_snapshot_id) AND min(last_snapshot_id) = max(last_snapshot_id)
            AND min(first_snapshot_id) = min(last_snapshot_id)
    )
    GROUP BY snapshot_id
) AS u ON u.snapshot_id = s.id
ORDER BY s.taken_at_us
