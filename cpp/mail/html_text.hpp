// HTML as plain text, for where no w3m is: blocks become lines, links keep their target, lists their marks; styles,
// scripts and everything remote are left out. Not a browser: it never fails and never takes more than one pass.
#pragma once

#include <string>
#include <string_view>

namespace himalaya::mail {

std::string html_text(std::string_view html);

} // namespace himalaya::mail
