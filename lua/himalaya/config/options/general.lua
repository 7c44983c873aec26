-- The options that hold for all accounts. How a row is read stands in config/option.lua.

local o = require('himalaya.config.option').since('0.1')

local DAY = 86400

---@type himalaya.config.Group[]
return {
  {
    title = 'Data',
    text = 'Where mail is kept on this machine.',
    options = {
      o('data_dir', 'path', nil, 'The folder of the store.', { shown = "stdpath('data') .. '/himalaya'" }),
    },
  },
  {
    title = 'Work in the background',
    text = 'Nothing of this makes the editor wait.',
    options = {
      o('async.enabled', 'boolean', true, 'When false nothing starts by itself.'),
      o(
        'async.startup_delay',
        'number',
        30,
        'Seconds from start to the first sync by the clock. Push does not wait for it.',
        { minimum = 0, maximum = DAY }
      ),
      o(
        'async.sync_timeout',
        'number',
        300,
        'Seconds without any progress after which a sync is given up. A long first sync that moves is not.',
        { minimum = 1, maximum = DAY }
      ),
      o(
        'async.max_concurrent_commands',
        'integer',
        3,
        'How many programs run at once.',
        { minimum = 1, maximum = 64 }
      ),
      o(
        'async.ui_refresh_rate',
        'number',
        10,
        'Seconds between looks for what another Neovim changes, where the system does not tell of it because it '
          .. 'watches too many files already.',
        { minimum = 1, maximum = 3600 }
      ),
      o(
        'async.cache_ttl',
        'number',
        300,
        'Seconds for which an answer kept in the cache counts as fresh.',
        { minimum = 0, maximum = 30 * DAY }
      ),
      o(
        'async.background_priority',
        'boolean',
        true,
        "Background work makes room: the timer's syncs wait for a second without a key, half a minute at most, and "
          .. 'programs of the background run at a lower priority.'
      ),
      o(
        'performance.prefetch_enabled',
        'boolean',
        true,
        'Fetch what is likely to be opened next: the texts of the messages beside the one that is read.'
      ),
      o(
        'performance.cache_size_mb',
        'number',
        50,
        'MiB of memory for messages that were read, which open at once when they are read again.',
        { minimum = 1, maximum = 65536 }
      ),
      o(
        'performance.network_timeout',
        'number',
        30,
        'Seconds without an answer after which a connection is given up.',
        { minimum = 1, maximum = 3600 }
      ),
      o(
        'performance.retry_attempts',
        'integer',
        3,
        'How often a sync that lost its connection, or got none, is tried again before it counts as failed, after a '
          .. 'second first. A program is run again only when its call asks for it.',
        { minimum = 0, maximum = 100 }
      ),
      o(
        'performance.exponential_backoff',
        'boolean',
        true,
        'Wait twice as long before each further try, instead of the same time: of a sync, of a connection, and of the '
          .. 'timer after syncs that failed.'
      ),
      o(
        'performance.bandwidth_limit',
        'number',
        nil,
        'KiB a second for each account.',
        { minimum = 1, shown = 'no limit' }
      ),
    },
  },
  {
    title = 'Sync',
    text = 'When mail is fetched, and by which of several Neovims.',
    options = {
      o('sync.auto', 'boolean', true, 'Sync by itself.'),
      o('sync.interval', 'number', 900, 'Seconds between syncs.', { minimum = 1, maximum = 7 * DAY }),
      o(
        'sync.max_concurrent_syncs',
        'integer',
        1,
        'How many syncs of one account look at its folders at once; the others wait their turn. Texts that still '
          .. 'stream in keep nobody waiting.',
        { minimum = 1, maximum = 16 }
      ),
      o(
        'sync.max_parallel_accounts',
        'integer',
        4,
        'How many accounts are synced at once.',
        { minimum = 1, maximum = 64 }
      ),
      o(
        'sync.push',
        'boolean',
        true,
        'Let the server say when mail comes: to the inbox, and to the folder that was looked at last.'
      ),
      o('sync.coordination.enabled', 'boolean', true, 'One of several Neovims leads, the others follow.'),
      o(
        'sync.coordination.heartbeat_interval',
        'number',
        30,
        'Seconds between two signs of life of the leader.',
        { minimum = 1, maximum = 3600 }
      ),
      o(
        'sync.coordination.takeover_threshold',
        'number',
        60,
        'Seconds of silence after which another one leads.',
        { minimum = 1, maximum = DAY }
      ),
      o(
        'sync.coordination.sync_cooldown',
        'number',
        300,
        'Seconds between two syncs by the clock, whoever starts them.',
        { minimum = 0, maximum = DAY }
      ),
      o(
        'sync.coordination.file',
        'path',
        nil,
        'The file they share.',
        { shown = "'himalaya/sync_coordinator.json' in your config home" }
      ),
      o('sync.coordination.prefer_oldest', 'boolean', false, 'The Neovim that runs longest leads.'),
      o('sync.coordination.distribute', 'boolean', false, 'Share the accounts among the Neovims that run.'),
      o('sync_handoff.enabled', 'boolean', true, 'Notice a sync that another program runs.'),
      o('sync_handoff.auto_takeover', 'boolean', false, 'Take over such a sync without asking.'),
      o(
        'sync_handoff.auto_takeover_timeout',
        'number',
        300,
        'Seconds it may run before that.',
        { minimum = 1, maximum = DAY }
      ),
      o('sync_handoff.show_external_progress', 'boolean', true, 'Show its progress.'),
      o('sync_handoff.share_progress', 'boolean', true, 'Write our own progress for others to read.'),
      o(
        'sync_handoff.progress_write_interval',
        'integer',
        5,
        'Write it after so many updates.',
        { minimum = 1, maximum = 10000 }
      ),
      o(
        'sync_handoff.graceful_handoff',
        'boolean',
        true,
        'Finish the batch, then hand over, when another one asks.'
      ),
    },
  },
  {
    title = 'Programs',
    text = 'Names looked up in $PATH, or whole paths.',
    options = {
      o('binaries.himalaya', 'path', 'himalaya', 'The himalaya program.'),
      o('binaries.mbsync', 'path', 'mbsync', 'mbsync, of isync.'),
      o('binaries.curl', 'path', 'curl', 'curl, for requests to token providers.'),
      o('binaries.w3m', 'path', 'w3m', 'w3m, for HTML mail.'),
    },
  },
  {
    title = 'Screen',
    text = 'What is shown, and the keys.',
    options = {
      o('ui.auto_sync_enabled', 'boolean', nil, 'An earlier name of `sync.auto`.', { alias = 'sync.auto' }),
      o(
        'ui.auto_sync_interval',
        'number',
        nil,
        'An earlier name of `sync.interval`.',
        { alias = 'sync.interval' }
      ),
      o(
        'ui.auto_sync_startup_delay',
        'number',
        nil,
        'An earlier name of `async.startup_delay`.',
        { alias = 'async.startup_delay' }
      ),
      o('ui.sidebar.open', 'boolean', true, 'Show the sidebar. `B` shows and hides it.'),
      o('ui.sidebar.side', "'left'|'right'", 'left', 'Where it stands.'),
      o(
        'ui.sidebar.width',
        'number',
        0,
        'Its cells, or below 1 its share of the screen; 0 is a quarter, 15 to 30 cells. What you resize it to is '
          .. 'kept.',
        { minimum = 0, maximum = 1000 }
      ),
      o(
        'ui.preview.open',
        'boolean',
        false,
        'Show the message under the cursor beside the list. `P` changes it.'
      ),
      o(
        'ui.preview.split',
        "'auto'|'below'|'right'",
        'auto',
        'Where the preview stands; `auto` is right of a list of 160 cells or more, else below it.'
      ),
      o(
        'ui.preview.size',
        'number',
        0.5,
        'The share of the list that it takes.',
        { minimum = 0.1, maximum = 0.9 }
      ),
      o('ui.paging', "'pages'|'endless'", 'pages', 'Turn pages, or have more come as you scroll.'),
      o(
        'ui.page_size',
        'integer',
        50,
        'How many messages, or threads, a page has.',
        { minimum = 5, maximum = 200 }
      ),
      o(
        'ui.threads',
        "'off'|'open'|'folded'",
        'off',
        'How a list begins: every message by itself, threads together, or each thread as one row.'
      ),
      o(
        'keymaps',
        'table',
        {},
        "Keys by view: `{ jobs = { X = 'cancel', x = false } }` adds one and removes one. "
          .. '|himalaya-keys| has them all.'
      ),
      o('keymaps.*', 'table', nil, 'The keys of one view.'),
      o(
        'keymaps.*.*',
        'string|false|function',
        nil,
        'An action of that view, your own function, or false to leave the key alone.'
      ),
      o(
        'notify.debug',
        'boolean',
        false,
        'Also say what goes on in the background, and note more in |:HimalayaLog|.'
      ),
      o(
        'notify.progress',
        'boolean',
        true,
        'Show how far a sync is that you started: by fidget, as a progress message (Neovim 0.12), or in the corner.'
      ),
      o(
        'notify.bell',
        'boolean',
        false,
        'Ring the bell for new mail and when a sync that you started has ended.'
      ),
      o(
        'notify.repeat_after',
        'number',
        5,
        'Seconds in which the same message is said only once.',
        { minimum = 0, maximum = 3600 }
      ),
      o(
        'notify.per_minute',
        'integer',
        30,
        'How many messages a minute are said; the rest is in |:HimalayaLog|.',
        { minimum = 1, maximum = 10000 }
      ),
    },
  },
}
