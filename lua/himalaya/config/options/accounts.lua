-- The options of one account, whatever its source. How a row is read stands in config/option.lua.

local o = require('himalaya.config.option').since('0.1')

local DAY = 86400

---@type himalaya.config.Group[]
return {
  {
    title = 'Accounts',
    text = 'One entry per account, by a name of your choice: letters, digits and `._@-`, not '
      .. 'beginning with a dot.',
    options = {
      o('accounts', 'table', {}, 'The accounts, by name.'),
      o('accounts.*', 'table', nil, 'One account.'),
      o(
        'accounts.*.email',
        'string',
        nil,
        'The address of the account.',
        { pattern = '^%S+$', must = 'have no blanks' }
      ),
      o('accounts.*.name', 'string', nil, 'The name written beside the address.'),
      o(
        'accounts.*.source',
        "'imap'|'maildir'|'himalaya'",
        nil,
        'Where the mail comes from: a server, a Maildir on this machine, or the himalaya program.',
        {
          shown = "'imap'; 'maildir' or 'himalaya' where only that is described",
        }
      ),
      o('accounts.*.maildir', 'path', nil, "The folder of the Maildir, with `source = 'maildir'`."),
      o(
        'accounts.*.bodies',
        "'all'|'on_demand'|integer",
        'all',
        'Which whole messages to keep on this machine: all, only those that were opened, or those of '
          .. 'the newest so many days.',
        { minimum = 1, maximum = 36500 }
      ),
      o(
        'default_account',
        'string',
        nil,
        'The account that is shown first.',
        { shown = 'the first by name' }
      ),
    },
  },
  {
    title = 'IMAP',
    text = "For accounts with `source = 'imap'`.",
    options = {
      o('accounts.*.imap', 'table', nil, 'The server of the account.'),
      o(
        'accounts.*.imap.host',
        'string',
        nil,
        "The server's name.",
        { pattern = '^[^%s/]+$', must = 'be a host name', required = true }
      ),
      o(
        'accounts.*.imap.port',
        'integer',
        993,
        'Its port.',
        { minimum = 1, maximum = 65535, shown = "993; 143 where `tls` is not 'implicit'" }
      ),
      o(
        'accounts.*.imap.tls',
        "'implicit'|'starttls'|'none'",
        'implicit',
        'How the connection is made safe. `none` sends everything readable: only for this machine or '
          .. 'a tunnel.'
      ),
      o('accounts.*.imap.user', 'string', nil, 'The name to log in with.', { shown = 'the email address' }),
      o('accounts.*.imap.ca_file', 'path', nil, "A file of certificates to trust instead of the system's."),
      o(
        'accounts.*.imap.pool_size',
        'integer',
        3,
        'How many connections may be open at once.',
        { minimum = 1, maximum = 32 }
      ),
      o(
        'accounts.*.imap.idle_timeout',
        'number',
        300,
        'Seconds after which an unused connection is closed. The one that watches for new mail stays.',
        { minimum = 1, maximum = DAY }
      ),
      o(
        'accounts.*.imap.bandwidth_limit',
        'number',
        nil,
        'KiB a second for this account, instead of `performance.bandwidth_limit`.',
        { minimum = 1 }
      ),
    },
  },
  {
    title = 'Authentication',
    text = 'With `password` exactly one of `command`, `env` and `value`. With `oauth2` either '
      .. '`command`, a program that '
      .. 'prints a valid token, or a `provider` with a `client_id`.',
    options = {
      o('accounts.*.imap.auth', 'table', nil, 'How to log in.'),
      o('accounts.*.imap.auth.type', "'password'|'oauth2'", 'password', 'A password, or a token.'),
      o(
        'accounts.*.imap.auth.command',
        'command',
        nil,
        'A program and its arguments; the first line it prints is the password or the token.'
      ),
      o(
        'accounts.*.imap.auth.env',
        'string',
        nil,
        'The environment variable that holds the password. It is removed from the environment of '
          .. 'every program we start.',
        {
          pattern = '^[%a_][%w_]*$',
          must = "be a variable's name",
        }
      ),
      o(
        'accounts.*.imap.auth.value',
        'string',
        nil,
        'The password itself. It is locked away when `setup` is called: nothing prints it. Prefer `command`.',
        { secret = true, pattern = '.', must = 'not be empty' }
      ),
      o('accounts.*.imap.auth.provider', "'google'|'microsoft'|table", nil, 'Who gives the token.'),
      o(
        'accounts.*.imap.auth.provider.authorize',
        'string',
        nil,
        "The provider's page where the user agrees.",
        { pattern = '^https?://', must = 'be a web address' }
      ),
      o(
        'accounts.*.imap.auth.provider.token',
        'string',
        nil,
        'Its address for tokens.',
        { pattern = '^https?://', must = 'be a web address' }
      ),
      o(
        'accounts.*.imap.auth.provider.device',
        'string',
        nil,
        'Its address for devices without a browser.',
        { pattern = '^https?://', must = 'be a web address' }
      ),
      o('accounts.*.imap.auth.provider.scope', 'string', nil, 'What to ask for.'),
      o(
        'accounts.*.imap.auth.tenant',
        'string',
        'common',
        "The tenant, with `provider = 'microsoft'`.",
        { pattern = '^[%w.-]+$', must = 'be a name or an id' }
      ),
      o('accounts.*.imap.auth.client_id', 'string', nil, 'The id that the provider gave to your client.'),
      o(
        'accounts.*.imap.auth.client_secret',
        'command',
        nil,
        'A program that prints the secret of your client, for providers that want one.'
      ),
    },
  },
  {
    title = 'Maildir and himalaya accounts',
    text = 'What an account needs whose mail is fetched by another program.',
    options = {
      o('accounts.*.mbsync', 'table', nil, "How mbsync fills the Maildir, with `source = 'maildir'`."),
      o(
        'accounts.*.mbsync.channel',
        'string',
        nil,
        'The channel or group of a full sync.',
        { pattern = '^[^-]', must = 'not begin with a dash' }
      ),
      o(
        'accounts.*.mbsync.inbox_channel',
        'string',
        nil,
        'The channel of the inbox alone.',
        { pattern = '^[^-]', must = 'not begin with a dash', shown = '`channel`' }
      ),
      o('accounts.*.mbsync.config', 'path', nil, "mbsync's configuration file.", { shown = "mbsync's own" }),
      o(
        'accounts.*.himalaya',
        'table',
        nil,
        "How the himalaya program knows the account, with `source = 'himalaya'`."
      ),
      o(
        'accounts.*.himalaya.account',
        'string',
        nil,
        'Its name there.',
        { pattern = '^[^-]', must = 'not begin with a dash', shown = "the account's name here" }
      ),
      o(
        'accounts.*.himalaya.config',
        'path',
        nil,
        "himalaya's configuration file.",
        { shown = "himalaya's own" }
      ),
    },
  },
  {
    title = 'Folders',
    text = 'Patterns know `*` (anything) and `%` (anything up to the next level).',
    options = {
      o('accounts.*.folders', 'table', nil, 'Which folders are synced, and what they are for.'),
      o('accounts.*.folders.include', 'string[]', nil, 'Only these.', { shown = 'all' }),
      o(
        'accounts.*.folders.exclude',
        'string[]',
        nil,
        'Not these, unless a sync asks for one by its name.',
        { shown = 'none' }
      ),
      o(
        'accounts.*.folders.roles',
        'table',
        nil,
        "Folders for a purpose, where the server does not say so itself: `{ trash = 'Bin' }`."
      ),
      o('accounts.*.folders.roles.inbox', 'string', nil, 'New mail.'),
      o('accounts.*.folders.roles.archive', 'string', nil, 'Where archived mail goes.'),
      o('accounts.*.folders.roles.drafts', 'string', nil, 'Unfinished mail.'),
      o('accounts.*.folders.roles.sent', 'string', nil, 'Sent mail.'),
      o('accounts.*.folders.roles.trash', 'string', nil, 'Where deleted mail goes.'),
      o('accounts.*.folders.roles.junk', 'string', nil, 'Unwanted mail.'),
      o('accounts.*.folders.roles.all', 'string', nil, 'All mail, where the server has such a folder.'),
    },
  },
}
