---@meta
-- What himalaya.mail and himalaya.sync.manager give and take, for the help and for language servers; nobody loads it.

--- @class (exact) himalaya.Folder
--- @field name string the last level of its path
--- @field path string with `/` between levels
--- @field role? string inbox, sent, drafts, trash, junk, archive, all, flagged
--- @field total? integer nil as long as nobody counted
--- @field unread? integer
--- @field selectable boolean false where it holds only other folders
--- @field synced_at? integer epoch, of the last sync that had all of it

--- @class (exact) himalaya.ListOptions
--- @field page? integer from 1; instead of a cursor
--- @field page_size? integer 50 unless given; of threads where these are asked for
--- @field after? string the page below: `next` of an earlier one
--- @field before? string the page above: `previous` of an earlier one
--- @field query? string words, which may stand anywhere in subject, sender and recipients, and `from:` `to:` `subject:`
---   `is:unread` `is:flagged` `is:answered` `has:attachment` `before:2024-05-17` `after:2024`; all of it must hold, and
---   quotes keep words together
--- @field thread? boolean pages of whole threads, each with its answers below it

--- @class (exact) himalaya.Listing
--- @field total? integer nil with a query
--- @field unread? integer
--- @field next? string nil on the last page
--- @field previous? string nil on the first
--- @field stale boolean the last sync is longer ago than `async.cache_ttl`
--- @field items himalaya.Item[]

--- @class (exact) himalaya.Item
--- @field id integer stays the same when the message is moved
--- @field subject string
--- @field from { name: string, addr: string }
--- @field to { name: string, addr: string }[]
--- @field date integer epoch, from its Date, else when it arrived
--- @field arrived integer epoch, when the server got it; lists are in this order
--- @field size integer
--- @field flags { seen: boolean, flagged: boolean, answered: boolean, draft: boolean, forwarded: boolean }
--- @field keywords string[]
--- @field has_attachment boolean
--- @field has_body boolean its text is on this machine
--- @field pending boolean something done to it waits to be sent
--- @field thread integer the same for all messages of a thread
--- @field thread_depth? integer how many messages it is below the first one of its thread

--- @class (exact) himalaya.ReadOptions
--- @field mark_seen? boolean
--- @field offset? integer of the text, in bytes
--- @field max_bytes? integer of text and of html in one answer, 262144 unless given
--- @field max_attachments? integer

--- @class (exact) himalaya.Message
--- @field key string what it is called in an address; it outlives the store
--- @field headers { name: string, value: string }[] decoded
--- @field text string from `offset` on: all that is to be read, of alternatives the plain one
--- @field more boolean the text goes on at `next_offset`
--- @field offset integer
--- @field next_offset integer
--- @field size integer of the whole text
--- @field text_from_html boolean at least a part of it is only there as HTML and was rendered
--- @field html? string with the first slice
--- @field attachments { name: string, mime: string, size: integer, part: string }[]
--- @field attachment_count integer all of them, where `max_attachments` left some out

--- @class (exact) himalaya.SyncResult
--- @field err? himalaya.Error the figures are there without it
--- @field new integer
--- @field updated integer
--- @field expunged integer
--- @field uploaded integer what was done here and is on the server now
--- @field bytes integer
--- @field duration_ms integer
--- @field round_trips integer
--- @field connections_opened integer
--- @field refused string[] a sentence for each change that the server would not have
--- @field withheld string[] folders where deletions wait for the user's yes
--- @field came { folder: string, ids: integer[] }[] new messages, not those of a first sync

return {}
