-- Files of the latest snapshot that were not modified for years, the largest first: candidates for an archive
-- :years how many (default: 1)
SELECT name, size, mtime, date(CAST(mtime AS INTEGER), 'unixepoch') AS modified
FROM current_file
WHERE mtime < strftime('%s', 'now') - 31557600 * CAST(coalesce(:years, 1) AS REAL)
ORDER BY size DESC, name
