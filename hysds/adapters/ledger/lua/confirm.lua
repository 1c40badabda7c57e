#!lua flags=allow-oom
-- The store holds the document of a revision. ARGV: clock, retention in ms, then id and revision by turns.
local answers = {}
for i = 3, #ARGV, 2 do
  local record = sound(ARGV[i])
  local is_last = record and ENDED[record.status] and record.revision == tonumber(ARGV[i + 1])
  if is_last then
    store(changed(record, {confirmed = 1}))
    zset_put(RETIRE, record.id, now_ms + tonumber(ARGV[2]))
  end
  answers[#answers + 1] = is_last and 1 or 0
end
return finish(answers)
