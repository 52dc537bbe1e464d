-- One md5 with two sizes: a collision, or a file that changed while it was read
SELECT md5, min(size) AS smallest, max(size) AS largest, count(*) AS versions, min(name) AS name
FROM file_version
WHERE md5 IS NOT NULL
GROUP BY md5
HAVING min(size) <> max(size)
ORDER BY md5
