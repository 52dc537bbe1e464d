-- Names of the latest snapshot that differ in the case of ASCII letters only
SELECT f.name, lower(f.name) AS folded
FROM current_file AS f
JOIN (SELECT lower(name) AS folded FROM current_file GROUP BY 1 HAVING count(*) > 1) AS twins
    ON lower(f.name) = twins.folded
ORDER BY folded, f.name
