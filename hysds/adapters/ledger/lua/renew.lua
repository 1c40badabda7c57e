#!lua flags=allow-oom
-- Longer leases for all that a worker holds, its announcement, and what it should know. ARGV: clock, the renewal's JSON.
local renewal = cjson.decode(ARGV[2])
local said = renewal.announcement
local worker = meet(renewal.worker, clock_ms + renewal.announce_ms)
worker.title = said.name
local drain = drain_of(worker)

local function hear()
  for _, queue in ipairs(cjson.decode(worker.queues)) do zset_drop(P .. 'hears:' .. queue, worker.name) end
  if said.slots > 0 and not drain then
    for _, queue in ipairs(said.queues) do zset_put(P .. 'hears:' .. queue, worker.name, 0) end
  end
  worker.pledged, worker.slots = 0, said.slots
  worker.queues, worker.never = said.queues_json, said.never_json
  write('hash', 'HSET', P .. 'worker:' .. worker.name, 'host', said.host, 'name', said.name, 'slots', num(said.slots),
    'queues', said.queues_json, 'now', said.now_json, 'empty', said.empty_json, 'never', said.never_json,
    'facts', said.facts)
end

local function renew(held)
  local record = sound(held.id)
  if not record or not owns(record, held.fence) then return 'lost' end
  put(record, renewed(record, held.phase, held.progress, renewal.lease_ms), 'renew')
  return record.cancel == 1 and 'cancel' or 'ok'
end

hear()
local standings, unlisted, listed = {}, {}, {}
for i, held in ipairs(renewal.held) do
  standings[i] = renew(held)
  listed[held.id .. ' ' .. num(held.fence)] = true
end
local given_up = set_of(renewal.given_up)
for _, record in ipairs(held_by(renewal.worker)) do
  if not listed[record.id .. ' ' .. num(record.fence)] then
    if given_up[record.nonce] then
      leave_started(record, returned(record), 'release', '')
    else
      unlisted[#unlisted + 1] = {record.id, num(record.fence)}
    end
  end
end
if throttles.is_used then throttles.call_next() end
local best, head, unknown = heads(offered(worker, drain and {} or said.queues, said.fit))
keeps_reservation(worker, best, head, renewal.lease_ms)
return finish({standings, unlisted, best and 1 or 0, unknown, announce(), drain})
