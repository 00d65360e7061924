-- Answers with an owner's maintenance page, a file named by its digest. HAProxy's own `return` takes 16 KB at most.

local folder = "@own@/"
local spare = "<!doctype html><title>In maintenance</title><h1>In maintenance</h1>"

local function read(name)
  local file = io.open(folder .. name, "rb")
  if not file then return spare end
  local text = file:read("a")
  file:close()
  return text
end

core.register_service("own-page", "http", function(applet)
  local body = read(applet:get_var("txn.own"))
  applet:set_status(503)
  applet:add_header("Content-Type", "text/html; charset=utf-8")
  applet:add_header("Content-Length", tostring(#body))
  applet:add_header("Cache-Control", "no-store")
  applet:add_header("Retry-After", "60")
  applet:start_response()
  if applet.method ~= "HEAD" then applet:send(body) end
end)
