-- wrk: POST the file in BENCH_BODY as BENCH_TYPE; count the replies by status at the end.
local statuses = {}
local threads = {}

if os.getenv("BENCH_BODY") then
  local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = os.getenv("BENCH_TYPE")
  local name, value = (os.getenv("BENCH_HEADER") or ""):match("^(.-): (.*)$")
  if name then
    wrk.headers[name] = value
  end
end

if os.getenv("BENCH_DELAY_MS") then
  function delay()
    return tonumber(os.getenv("BENCH_DELAY_MS"))
  end
end

function setup(thread)
  table.insert(threads, thread)
end

function init()
  counts = ""
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
  local parts = {}
  for code, count in pairs(statuses) do
    table.insert(parts, code .. "=" .. count)
  end
  counts = table.concat(parts, ",")
end

function done(summary, latency)
  local all = {}
  for _, thread in ipairs(threads) do
    table.insert(all, thread:get("counts"))
  end
  local e = summary.errors
  io.write(string.format(
    "bench: seconds=%.3f p50=%.3f p99=%.3f max=%.3f lost=%d statuses=%s\n",
    summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3,
    e.connect + e.read + e.write + e.timeout, table.concat(all, ",")))
end
