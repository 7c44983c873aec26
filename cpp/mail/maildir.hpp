// Maildir: a folder of files, one for each message, with tmp/, new/ and cur/ below it. A file in cur/ carries its flags
// in its name: "unique:2,FS". A message is written under tmp/ and renamed, so that nobody ever sees half of one.
// Keywords are small letters, which Dovecot's file "dovecot-keywords" beside cur/ gives their names.
#pragma once

#include "base/error.hpp"
#include "mail/flags.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace himalaya::mail {

// At most 26, 'a' the first.
using KeywordLetters = std::vector<std::string>;

struct MaildirName {
    std::string unique;
    Flags flags;
};
MaildirName parse_maildir_name(std::string_view file, const KeywordLetters& letters = {});
// "unique:2,FS". A keyword without a letter is left out, unless `letters` has room for it.
std::string maildir_name(std::string_view unique, const Flags& flags, KeywordLetters& letters);

KeywordLetters parse_keyword_letters(std::string_view file);
std::string keyword_letters_file(const KeywordLetters& letters);

struct MaildirEntry {
    std::string place; // "cur" or "new"
    std::string file;
};

// On worker threads only: they wait for the disk.
class Maildir {
  public:
    explicit Maildir(std::string path) : m_path(std::move(path)) {}

    // A file under tmp/ that takes its place in cur/, or goes: closed, synced, and then it may appear.
    class Delivery {
      public:
        static Result<Delivery> begin(const Maildir& maildir, const std::string& unique);
        Delivery(Delivery&& other) noexcept;
        Delivery(const Delivery&) = delete;
        Delivery& operator=(const Delivery&) = delete;
        Delivery& operator=(Delivery&&) = delete;
        ~Delivery();

        Result<void> write(std::string_view bytes);
        // All of it was written. It may be many that wait here for one Maildir::sync().
        Result<void> close(std::int64_t arrived);
        // Takes its place; false where a file of that name was there already.
        Result<bool> appear(const std::string& name);

      private:
        friend class Maildir;
        Delivery(std::string folder, std::string file, int fd)
            : m_folder(std::move(folder)), m_file(std::move(file)), m_fd(fd) {}

        std::string m_folder;
        std::string m_file; // under tmp/; empty once it went
        int m_fd = -1;
    };

    const std::string& path() const { return m_path; }
    // A folder that has tmp/, new/ and cur/, or cur/ alone.
    static bool is_one(const std::string& path);
    // Makes what is missing. Refused where there is another folder's content.
    Result<void> make() const;
    // All plain files of new/ and cur/ by name, the oldest names first.
    Result<std::vector<MaildirEntry>> list() const;
    std::string path_of(const MaildirEntry& entry) const;
    KeywordLetters read_letters() const;
    Result<void> write_letters(const KeywordLetters& letters) const;
    // What was delivered until now is on the disk when this returns: one wait for many files, where the system can.
    Result<void> sync(const std::vector<Delivery>& closed) const;

  private:
    std::string m_path;
};

} // namespace himalaya::mail
