#!lua flags=allow-oom
-- A worker is gone: its leases end as if they had run out. ARGV: clock, worker.
local answers = {}
for i, record in ipairs(held_by(ARGV[2])) do answers[i] = {record.id, lose(record)} end
for id in pairs(held_of(ARGV[2])) do 
  if damaged[id] then hold(ARGV[2], id, nil) end
  note_damage(id, answers)
end
drop_worker(ARGV[2])
return finish({answers, announce(), 0})
