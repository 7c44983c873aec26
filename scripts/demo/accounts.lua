-- The demo server's users as accounts of a config.
---@param ready table what server.py said when it was ready
---@return table<string, table>
return function(ready)
  local accounts = {}
  for name, user in pairs(ready.users) do
    accounts[name] = {
      email = name .. '@example.org',
      imap = {
        host = ready.host,
        port = ready.tls_port,
        user = name,
        ca_file = ready.ca_file,
        auth = { type = 'password', value = user.password },
      },
    }
  end
  return accounts
end
