-- Contents that the latest snapshot has under several names, the most wasteful first
-- :min_size smaller files are left out (default: 1)
SELECT max(size) * (count(*) - 1) AS wasted_bytes, count(*) AS files, max(size) AS size, md5, min(name) AS name
FROM current_file
WHERE size >= CAST(coalesce(:min_size, 1) AS INTEGER) AND md5 IS NOT NULL
GROUP BY md5
HAVING count(*) > 1
ORDER BY wasted_bytes DESC, md5
