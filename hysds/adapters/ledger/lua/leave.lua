#!lua flags=allow-oom
-- A worker is gone: its leases end as if they had run out. ARGV: clock, worker.
local answers = {}
for i, record in ipairs(held_by(ARGV[2])) do answers[i] = {record.id, lose(record)} end
drop_worker(ARGV[2])
return finish({answers, announce(), 0})
