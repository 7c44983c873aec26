// SQLite's first page tells where the tables lie. Without it nothing is found, though every row may be there; but where
// the tables lie is the same in every store of ours, so a sound one can lend its first page to a copy of the damaged.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace himalaya::store {

// The pages that hold the list of tables, as they lie in a sound file.
class FirstPage {
  public:
    // Nothing where the file is no database. What was written to it must be in the file itself, not in its -wal.
    static std::optional<FirstPage> of(const std::string& path);
    // Puts them into a file of which they are the only sound part so far; false where that is not possible.
    bool lend_to(const std::string& path) const;

  private:
    std::size_t m_page_size = 0;
    std::vector<std::string> m_pages; // the first one first
    // Which page a child's number stands in, where, and which of m_pages it is.
    struct Pointer {
        std::size_t page, at, child;
    };
    std::vector<Pointer> m_pointers;
};

} // namespace himalaya::store
