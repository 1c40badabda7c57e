#!lua flags=allow-oom
-- Raise a record's revision above one that a store holds from a lost future. ARGV: clock, id, that revision.
local record = load(ARGV[2])
if not record then return finish('0') end
local raised = changed(record, {revision = math.max(record.revision, tonumber(ARGV[3]))})
local new = stepped(raised, {confirmed = 0})
zset_drop(RETIRE, record.id)
put(record, new, 'touch')
return finish(num(new.revision))
