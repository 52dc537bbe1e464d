-- Files that went away under one name and came under another between two snapshots
-- :left snapshot: the earlier one (default: latest~1)
-- :right snapshot: the later one (default: latest)
WITH touched AS MATERIALIZED (
    SELECT DISTINCT name FROM change
    WHERE taken_at_us > CAST(:left AS INTEGER) AND taken_at_us <= CAST(:right AS INTEGER)
), state AS MATERIALIZED (
    SELECT t.name,
        max(CASE WHEN v.valid_from_us <= CAST(:left AS INTEGER)
            AND (v.valid_to_us IS NULL OR v.valid_to_us > CAST(:left AS INTEGER)) THEN v.md5 END) AS md5_left,
        max(CASE WHEN v.valid_from_us <= CAST(:right AS INTEGER)
            AND (v.valid_to_us IS NULL OR v.valid_to_us > CAST(:right AS INTEGER)) THEN v.md5 END) AS md5_right,
        max(v.size) AS size
    FROM touched AS t CROSS JOIN file_version AS v ON v.name = t.name
    GROUP BY t.name
)
SELECT gone.name AS name_left, came.name AS name, came.md5_right AS md5, came.size AS size
FROM state AS gone JOIN state AS came ON came.md5_right = gone.md5_left
WHERE gone.md5_right IS NULL AND came.md5_left IS NULL
ORDER BY gone.name, came.name
