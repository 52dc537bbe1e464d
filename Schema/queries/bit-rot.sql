-- Files whose content changed while size and time of modification stayed
SELECT name, valid_from, size, md5_before, md5
FROM (
    SELECT name, valid_from, valid_from_us, size, md5, mtime,
        lag(valid_to_us) OVER by_time AS ended_before, lag(size) OVER by_time AS size_before,
        lag(md5) OVER by_time AS md5_before, lag(mtime) OVER by_time AS mtime_before
    FROM file_version
    WINDOW by_time AS (PARTITION BY name ORDER BY valid_from_us)
)
WHERE ended_before = valid_from_us AND size = size_before AND mtime = mtime_before AND md5 <> md5_before
ORDER BY valid_from_us, name
