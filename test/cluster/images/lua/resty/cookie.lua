-- SPDX-License-Identifier: Apache-2.0
-- Reads the request's cookies, adds a Set-Cookie header.
local M = {}
M.__index = M
function M.new(self) return setmetatable({}, M) end
function M.get(self, name)
  local all = ngx.var.http_cookie
  if not all then return nil, "no cookie found in the current request" end
  for k, v in all:gmatch("%s*([^=;]+)=([^;]*)") do if k == name then return v end end
  return nil, "no such cookie"
end
function M.set(self, c)
  local s = c.key .. "=" .. c.value
  if c.expires then s = s .. "; Expires=" .. c.expires end
  if c.max_age then s = s .. "; Max-Age=" .. c.max_age end
  if c.domain then s = s .. "; Domain=" .. c.domain end
  if c.path then s = s .. "; Path=" .. c.path end
  if c.secure then s = s .. "; Secure" end
  if c.httponly then s = s .. "; HttpOnly" end
  if c.samesite then s = s .. "; SameSite=" .. c.samesite end
  local h = ngx.header["Set-Cookie"]
  if not h then ngx.header["Set-Cookie"] = s
  elseif type(h) == "table" then h[#h + 1] = s; ngx.header["Set-Cookie"] = h
  else ngx.header["Set-Cookie"] = {h, s} end
  return true
end
return M
