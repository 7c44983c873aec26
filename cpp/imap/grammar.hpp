// The parts of the grammar, one file each; all read at the scanner's cursor and say false when they failed
// there.
#pragma once

#include "imap/scanner.hpp"

namespace himalaya::imap {

// grammar_status.cpp. After the condition's word.
bool read_status_text(Scanner& in, StatusCode& code, Text& text);
bool read_condition(Text word, Condition& condition);
// Words up to the end, or to the `]` of a code.
bool read_capabilities(Scanner& in, Seq<Text>& names, bool in_code);

// grammar_folder.cpp. Each after its word and the space.
bool read_folder(Scanner& in, Folder& folder);
bool read_folder_status(Scanner& in, FolderStatus& status);
bool read_namespaces(Scanner& in, Namespaces& spaces);
bool read_identity(Scanner& in, Identity& identity);

// grammar_search.cpp. After the word.
bool read_search(Scanner& in, SearchResult& result);
bool read_esearch(Scanner& in, Esearch& result);
bool read_thread(Scanner& in, ThreadResult& result);
bool read_vanished(Scanner& in, Vanished& result);

// grammar_fetch.cpp and grammar_structure.cpp.
// When it fails, `unread` is the name of the item that could not be read, and the UID is looked for behind it.
bool read_fetch(Scanner& in, Fetch& fetch, Text& unread);
bool read_envelope(Scanner& in, const Envelope*& envelope);
bool read_body(Scanner& in, BodyPart& part);
std::optional<int64_t> epoch_of(Text date_time);

} // namespace himalaya::imap
