// Small files read whole and written whole. Other processes read them while we write: a new one appears
// complete under its name or not at all, also when the machine dies in between. Blocking: for worker threads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace himalaya {

// A temporary file beside it, fsync, rename, fsync of the folder. Mode 0600 unless told.
Result<void> write_new_file(const std::string& path, std::string_view bytes, unsigned mode = 0600);

// Code::not_found when it is not there, Code::invalid when it is larger than `most` or no plain file.
Result<std::string> read_small_file(const std::string& path, std::size_t most = 1 << 20);

// The folder and those above it, mode 0700; fine when it is there.
Result<void> make_folders(const std::string& path);

// An errno with what was tried, as an Error.
Error file_failure(int number, const std::string& tried);

} // namespace himalaya
