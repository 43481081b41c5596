-- SPDX-License-Identifier: Apache-2.0
-- Consistent hashing: 160 points a unit of weight on a ring of CRC-32 values.
local M = {}
M.__index = M
local crc = ngx.crc32_long
function M.new(self, nodes) local o = setmetatable({}, M); o:reinit(nodes); return o end
function M.reinit(self, nodes)
  self.nodes, self.ring = nodes, {}
  for id, w in pairs(nodes) do
    for i = 1, 160 * w do self.ring[#self.ring + 1] = {crc(id .. "-" .. i), id} end
  end
  table.sort(self.ring, function(a, b) if a[1] ~= b[1] then return a[1] < b[1] end return a[2] < b[2] end)
end
function M.find(self, key)
  local r = self.ring
  if #r == 0 then return nil end
  local h, lo, hi = crc(tostring(key)), 1, #r + 1
  while lo < hi do
    local mid = math.floor((lo + hi) / 2)
    if r[mid][1] < h then lo = mid + 1 else hi = mid end
  end
  if lo > #r then lo = 1 end
  return r[lo][2], lo
end
return M
