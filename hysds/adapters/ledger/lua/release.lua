#!lua flags=allow-oom
-- Back to the queue at its old place, or waiting. ARGV: clock, id, fence, delay in ms, detail.
local record, delay_ms = load(ARGV[2]), tonumber(ARGV[4])
if not record or not owns(record, tonumber(ARGV[3])) then return finish({{{ARGV[2], 'lost'}}, {}, 0}) end
local new = released(record, delay_ms ~= 0 and now_ms + delay_ms or 0)
leave_started(record, new, 'release', 'released', ARGV[5])
return finish({{{ARGV[2], new.status}}, announce(), 0})
