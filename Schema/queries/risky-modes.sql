-- Files that were ever setuid, setgid or writable for everybody
SELECT name, printf('%04o', mode & 4095) AS permissions, uid, gid, valid_from, valid_to, is_current
FROM file_version
WHERE mode & 3072 OR mode & 2
ORDER BY is_current DESC, name, valid_from_us
