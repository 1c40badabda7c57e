#!lua
-- A refused submission that came with an id of its own. ARGV: clock, its JSON, its spec, the error's JSON.
local item = asked(cjson.decode(ARGV[2]))
local known = load(item.id)
if known then
  if known.digest ~= item.digest then return finish({'conflict', known.status, '', ''}) end
  return finish({'repeated', known.status, known.dedup_job, known.dedup_status})
end
enter(born(item, FAILED, {reason = 'invalid', ended_ms = now_ms}), ARGV[3], 'reject')
write('string', 'SET', P .. 'error:' .. item.id, ARGV[4])
return finish({'accepted', FAILED, '', ''})
