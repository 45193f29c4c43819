-- Calls that were admitted already. KEYS are the callers'; ARGV for each: limit, period in microseconds, calls.
-- Answers for each the microseconds until its whole limit is there again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local resets = {}
for i, key in ipairs(KEYS) do
  local limit, period, calls = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local full = tonumber(redis.call('GET', key)) or now
  if full < now then full = now end
  full = math.min(full + calls * math.floor(period / limit), now + period)
  redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
  resets[i] = full - now
end
return resets
