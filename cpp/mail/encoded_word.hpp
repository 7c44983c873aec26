// Headers as people wrote them: RFC 2047 encoded words ("=?utf-8?q?caf=C3=A9?=") and raw bytes of older mailers, to
// UTF-8. Robust before strict: what is broken stays as it is, nothing is ever an error.
// A charset beyond ASCII, UTF-8 and Windows-1252 may open iconv's tables on disk: not for the editor's thread.
#pragma once

#include <string>
#include <string_view>

namespace himalaya::mail {

// The value of a header, unfolded or folded; the result is one line of valid UTF-8 (other control characters stay:
// who shows it cleans it).
std::string decode_header(std::string_view raw);

// What that takes: nothing, the text is what it says; a look at it; or charset tables that may come from the disk.
enum class Decoding { none, at_once, on_a_worker };
Decoding decoding_of(std::string_view raw);

} // namespace himalaya::mail
