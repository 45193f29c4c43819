-- One call of one caller. KEYS[1] is the caller's; ARGV: limit, period and block, the times in microseconds.
-- Answers {admitted, remaining, microseconds until the whole limit is there again, microseconds to wait}.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local limit, period, block = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

if block > 0 then
  -- A window that begins with the first call. The first call too many closes it for as long as the block lasts.
  local count = redis.call('INCR', KEYS[1])
  local left = redis.call('PTTL', KEYS[1]) * 1000
  if left < 0 then
    redis.call('PEXPIRE', KEYS[1], math.ceil(period / 1000))
    left = period
  end
  if count == limit + 1 then
    redis.call('PEXPIRE', KEYS[1], math.ceil(block / 1000))
    left = block
  end
  if count > limit then
    return {0, 0, left, left}
  end
  return {1, limit - count, left, 0}
end

-- GCRA: the value is when the whole limit would be there again.
local step = math.floor(period / limit)
local full = tonumber(redis.call('GET', KEYS[1])) or now
if full < now then full = now end
-- A clock that was set back must not shut anyone out for longer than a period.
if full > now + period then full = now + period end
local after = full + step
if after > now + period then
  return {0, 0, full - now, after - period - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, math.floor((now + period - after) / step), after - now, 0}
