-- Holds a request, its body unread, while its app is between two instances: until one is there, the app is given up, or
-- its time is over. What is over the caps is not held. A ticket that nobody hands back (a visitor left) runs out by itself.

local backends = Map.new("@proxy@/backends.map", Map._str)
local states = Map.new("@proxy@/states.map", Map._str)
local MOST, MOST_OF_APP = 400, 250
local QUICK, CALM, SOON = 20, 50, 2
local tickets, held = {}, {}

local function now()
  local at = core.now()
  return at.sec + at.usec / 1000000
end

local function sweep(at)
  for ticket in pairs(tickets) do
    if ticket.ends < at - 1 then
      tickets[ticket] = nil
      held[ticket.app] = held[ticket.app] - 1
      held.all = held.all - 1
    end
  end
end

local function take(app, at, seconds)
  if (held.all or 0) >= MOST or (held[app] or 0) >= MOST_OF_APP then sweep(at) end
  if (held.all or 0) >= MOST or (held[app] or 0) >= MOST_OF_APP then return nil end
  local ticket = { app = app, ends = at + seconds }
  tickets[ticket] = true
  held[app] = (held[app] or 0) + 1
  held.all = (held.all or 0) + 1
  return ticket
end

local function hand_back(ticket)
  if tickets[ticket] then
    tickets[ticket] = nil
    held[ticket.app] = held[ticket.app] - 1
    held.all = held.all - 1
  end
end

local function hold(txn, seconds)
  local app, began = txn:get_var("txn.app"), now()
  local ticket = take(app, began, tonumber(seconds))
  if not ticket then return end
  local backend = backends:lookup(app)
  while not backend and states:lookup(app) == "held" and now() < ticket.ends do
    core.msleep(now() - began < SOON and QUICK or CALM)
    backend = backends:lookup(app)
  end
  hand_back(ticket)
  if backend then txn:set_var("txn.backend", backend) end
end

core.register_action("hold", { "http-req" }, hold, 1)
