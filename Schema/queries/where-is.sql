-- The snapshots that have a file, and the version in each
-- :name path relative to the file root
SELECT s.taken_at, s.path AS snapshot, f.name, f.size, f.md5, f.mode, f.mtime
FROM snapshot_file AS f JOIN snapshot AS s ON s.id = f.snapshot_id
WHERE f.name = :name
ORDER BY s.taken_at_us
