#!lua flags=allow-oom
-- The one end of an attempt; may carry a bid. ARGV: clock, the commit's JSON, its detail, the bid's JSON or "".
local commit = cjson.decode(ARGV[2])

local function decide()
  local record = load(commit.id)
  if not record then return 'lost' end
  if not owns(record, commit.fence) then return record.committed == commit.fence and 'again' or 'lost' end
  if commit.shape ~= '' then slots_of(commit.shape) end
  if commit.status == REVOKED and record.cancel == 0 then return 'not-asked' end
  if commit.status == WAITING and 0 < record.deadline_ms and record.deadline_ms < commit.wake_ms
    and record.cancel == 0 then
    return 'too-late'
  end
  local new = committed(record, commit)
  local how = commit.reason ~= '' and new.status ~= REVOKED and commit.reason or new.status
  leave_started(record, new, 'commit', how, ARGV[3])
  return 'done'
end

local how, claims = decide(), false
local ready = announce()
if ARGV[4] ~= '' then claims = claim(cjson.decode(ARGV[4])) end
local record = load(commit.id)
return finish({how, record and record.status or '', claims, ready})
