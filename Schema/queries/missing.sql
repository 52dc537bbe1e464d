-- Contents that snapshots name and the heap does not have, and the files that they break
-- (The sign lets the index of md5s serve.)
SELECT m.md5, m.size, v.name, v.valid_from, v.valid_to, v.is_current
FROM missing_object AS m CROSS JOIN file_version AS v ON v.md5 = +m.md5
ORDER BY v.name, v.valid_from_us
