-- SPDX-License-Identifier: Apache-2.0
-- Weighted round robin (smooth), as the ingress controller's balancer calls it.
local M = {}
M.__index = M
function M.new(self, nodes) local o = setmetatable({}, M); o:reinit(nodes); return o end
function M.reinit(self, nodes)
  self.nodes, self.list = nodes, {}
  for id, w in pairs(nodes) do self.list[#self.list + 1] = {id = id, w = w, cur = 0} end
  table.sort(self.list, function(a, b) return a.id < b.id end)
end
function M.find(self)
  local best, total = nil, 0
  for _, n in ipairs(self.list) do
    n.cur = n.cur + n.w; total = total + n.w
    if not best or n.cur > best.cur then best = n end
  end
  if not best then return nil end
  best.cur = best.cur - total
  return best.id
end
return M
