-- The versions of a file, oldest first
-- :name path relative to the file root
SELECT name, valid_from, valid_to, md5, size, mode, mtime, is_current
FROM file_version
WHERE name = :name
ORDER BY valid_from_us
