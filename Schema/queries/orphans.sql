-- Contents in the heap that no snapshot names
SELECT md5, stored_bytes FROM orphan_object ORDER BY md5
