-- SPDX-License-Identifier: Apache-2.0
-- A lock without waiting, in a shared dictionary.
local M = {}
M.__index = M
function M.new(self, dict, o) return setmetatable({d = ngx.shared[dict], e = (o and o.exptime) or 30}, M) end
function M.lock(self, key)
  local ok = self.d:add(key, true, self.e)
  if not ok then return nil, "timeout" end
  self.key = key
  return 0
end
function M.unlock(self) self.d:delete(self.key); self.key = nil; return 1 end
return M
