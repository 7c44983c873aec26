#include "store/archive_out.hpp"

#include "base/new_file.hpp"
#include "base/text.hpp"
#include "mail/maildir.hpp"
#include "mail/mbox.hpp"
#include "store/fingerprint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <map>
#include <set>

namespace himalaya::store {

namespace {

constexpr std::size_t PIECE = 256u << 10;
constexpr std::size_t SEEN_AT_ONCE = 4u << 20;
// A wait for the disk costs some milliseconds, for one file as for many.
constexpr std::size_t SYNCED_AT_ONCE = 500;

[[noreturn]] void fail(int number, const std::string& tried) {
    auto error = file_failure(number, tried);
    if (number == ENOSPC || number == EDQUOT)
        error.hint = "Free some space and export again; what is there is not written twice.";
    else
        error.hint = "Choose another place, one you may write to.";
    throw error;
}

void check(Result<void> done) {
    if (!done) {
        auto error = done.error();
        if (error.hint.empty())
            error.hint = "Free some space or choose another place; what is there is not written twice.";
        throw error;
    }
}

// How often each message lies in the archive: copies of one message in one folder all leave.
class Copies {
  public:
    void add(const std::string& fingerprint) { ++m_there[fingerprint]; }
    // One more of ours; true if the archive has one fewer.
    bool is_new(const std::string& fingerprint) { return ++m_ours[fingerprint] > m_there[fingerprint]; }
    int of_ours(const std::string& fingerprint) { return ++m_ours[fingerprint]; }

  private:
    std::map<std::string, int> m_there;
    std::map<std::string, int> m_ours;
};

// The new file grows beside the old one and takes its name at the end.
class MboxOut : public ArchiveOut, private mail::MboxReader::Sink {
  public:
    explicit MboxOut(std::string path) : m_path(std::move(path)), m_reader(*this) {
        if (auto* real = ::realpath(m_path.c_str(), nullptr)) {
            m_path = real; // a link stays one
            std::free(real);
        }
        m_part = m_path + ".himalaya-part";
        open_part();
        m_old = ::open(m_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (m_old < 0 && errno != ENOENT) {
            int number = errno;
            give_up();
            fail(number, "Cannot read " + m_path);
        }
        struct stat info {};
        if (m_old >= 0 && ::fstat(m_old, &info) == 0) {
            if (!S_ISREG(info.st_mode)) {
                give_up();
                throw make_error(Code::invalid, fmt::format("{} is no plain file.", m_path),
                                 "Name another file.");
            }
            ::fchmod(m_file, info.st_mode & 0777);
        }
    }
    ~MboxOut() override { give_up(); }
    MboxOut(const MboxOut&) = delete;
    MboxOut& operator=(const MboxOut&) = delete;

    bool look() override {
        std::string piece(PIECE, '\0');
        for (std::size_t seen = 0; m_old >= 0 && seen < SEEN_AT_ONCE;) {
            auto got = ::read(m_old, piece.data(), piece.size());
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                fail(errno, "Cannot read " + m_path);
            std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
            if (!(bytes.empty() ? m_reader.finish() : m_reader.feed(bytes)))
                throw make_error(Code::invalid, fmt::format("{} is there and is no mbox.", m_path),
                                 "Name another file.");
            if (bytes.empty()) {
                ::close(std::exchange(m_old, -1));
                // Messages are parted by blank lines, whatever wrote the last one.
                while (m_size > 0 && !m_tail.ends_with("\n\n"))
                    put("\n");
                return true;
            }
            put(bytes);
            seen += bytes.size();
        }
        return m_old < 0;
    }

    void begin(const Leaving& message) override {
        m_begin = m_size;
        m_fingerprint = std::make_unique<Fingerprint>();
        m_writer = std::make_unique<mail::MboxWriter>(m_out, message.sender, message.arrived, message.flags);
    }

    void add(std::string_view bytes) override {
        m_fingerprint->add(bytes);
        m_writer->add(bytes);
        put_out();
    }

    bool end() override {
        if (!m_copies.is_new(m_fingerprint->finish())) {
            drop();
            return false;
        }
        m_writer->finish();
        put_out();
        m_grew = true;
        return true;
    }

    void drop() override {
        m_out.clear();
        if (::ftruncate(m_file, m_begin) != 0 || ::lseek(m_file, m_begin, SEEK_SET) < 0)
            fail(errno, "Cannot write " + m_path);
        m_size = m_begin;
    }

    void finish() override {
        struct stat info {};
        if (!m_grew && ::stat(m_path.c_str(), &info) == 0)
            return; // untouched, its time too
        if (::fsync(m_file) != 0 || ::rename(m_part.c_str(), m_path.c_str()) != 0)
            fail(errno, "Cannot write " + m_path);
        ::close(std::exchange(m_file, -1));
        auto slash = m_path.rfind('/');
        auto folder = slash == std::string::npos ? "." : slash == 0 ? "/" : m_path.substr(0, slash);
        if (int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
            ::fsync(fd);
            ::close(fd);
        }
    }

  private:
    // Ours alone: its lock goes with us, however we end.
    void open_part() {
        m_file = ::open(m_part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (m_file < 0)
            fail(errno, "Cannot write " + m_path);
        struct stat ours {
        }, named{};
        bool locked = ::flock(m_file, LOCK_EX | LOCK_NB) == 0;
        // Between opening and locking another export may have given its file the final name: that is not ours to cut.
        if (!locked || ::fstat(m_file, &ours) != 0 || ::stat(m_part.c_str(), &named) != 0 ||
            ours.st_ino != named.st_ino || ::ftruncate(m_file, 0) != 0) {
            ::close(std::exchange(m_file, -1));
            throw make_error(Code::busy, fmt::format("Another export is writing {}.", m_path),
                             "Wait until it has ended.");
        }
    }

    void give_up() {
        if (m_file >= 0) {
            ::unlink(m_part.c_str());
            ::close(std::exchange(m_file, -1));
        }
        if (m_old >= 0)
            ::close(std::exchange(m_old, -1));
    }

    void put(std::string_view bytes) {
        m_tail.append(bytes.size() > 2 ? bytes.substr(bytes.size() - 2) : bytes);
        if (m_tail.size() > 2)
            m_tail.erase(0, m_tail.size() - 2);
        while (!bytes.empty()) {
            auto wrote = ::write(m_file, bytes.data(), bytes.size());
            if (wrote < 0 && errno == EINTR)
                continue;
            if (wrote <= 0)
                fail(errno, "Cannot write " + m_path);
            m_size += wrote;
            bytes.remove_prefix(static_cast<std::size_t>(wrote));
        }
    }

    void put_out() {
        put(m_out);
        m_out.clear();
    }

    void on_message(const mail::FromLine&) override { m_fingerprint = std::make_unique<Fingerprint>(); }
    void on_bytes(std::string_view bytes) override { m_fingerprint->add(bytes); }
    void on_end(const mail::Flags&) override { m_copies.add(m_fingerprint->finish()); }

    std::string m_path;
    std::string m_part;
    int m_file = -1;
    int m_old = -1; // what is there, as long as it is looked at
    mail::MboxReader m_reader;
    Copies m_copies;
    std::unique_ptr<Fingerprint> m_fingerprint;
    std::unique_ptr<mail::MboxWriter> m_writer;
    std::string m_out;
    std::string m_tail; // the last two bytes of the file
    std::int64_t m_size = 0;
    std::int64_t m_begin = 0; // of the message that is being written
    bool m_grew = false;
};

// A file's name is made of the message's fingerprint: found there, it was exported before.
class MaildirOut : public ArchiveOut {
  public:
    explicit MaildirOut(const std::string& path) : m_maildir(path) {
        check(m_maildir.make());
        m_letters = m_maildir.read_letters();
        auto there = m_maildir.list();
        if (!there)
            throw Error(there.error());
        for (const auto& entry : *there)
            m_there.insert(mail::parse_maildir_name(entry.file).unique);
    }

    bool look() override { return true; }

    void begin(const Leaving& message) override {
        m_message = message;
        m_fingerprint = std::make_unique<Fingerprint>();
        m_return_held = false;
        auto made = mail::Maildir::Delivery::begin(m_maildir, fmt::format("himalaya-{}", ++m_count));
        if (!made)
            check(made.error());
        m_delivery.emplace(std::move(*made));
    }

    void add(std::string_view bytes) override {
        m_fingerprint->add(bytes);
        // Files have LF.
        std::string lines;
        lines.reserve(bytes.size() + 1);
        for (char c : bytes) {
            if (m_return_held && c != '\n')
                lines += '\r';
            m_return_held = c == '\r';
            if (!m_return_held)
                lines += c;
        }
        check(m_delivery->write(lines));
    }

    bool end() override {
        if (m_return_held)
            check(m_delivery->write("\r"));
        auto fingerprint = m_fingerprint->finish();
        auto unique = fmt::format("{}.M{}H{}.himalaya", m_message.arrived, m_copies.of_ours(fingerprint),
                                  text::hex(fingerprint));
        if (m_there.contains(unique)) {
            drop();
            return false;
        }
        auto letters = m_letters.size();
        auto name = mail::maildir_name(unique, m_message.flags, m_letters);
        if (m_letters.size() != letters)
            check(m_maildir.write_letters(m_letters)); // before the first name that has one
        check(m_delivery->close(m_message.arrived));
        m_closed.push_back(std::move(*m_delivery));
        m_names.push_back(std::move(name));
        m_delivery.reset();
        if (m_closed.size() >= SYNCED_AT_ONCE)
            let_appear();
        return true;
    }

    void drop() override { m_delivery.reset(); }

    void finish() override {
        let_appear();
        auto cur = m_maildir.path() + "/cur";
        if (int fd = ::open(cur.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
            ::fsync(fd);
            ::close(fd);
        }
    }

    void end_early() override { let_appear(); }

  private:
    void let_appear() {
        check(m_maildir.sync(m_closed));
        for (std::size_t i = 0; i < m_closed.size(); ++i)
            if (auto appeared = m_closed[i].appear(m_names[i]); !appeared)
                check(appeared.error());
        m_closed.clear();
        m_names.clear();
    }

    mail::Maildir m_maildir;
    std::vector<mail::Maildir::Delivery> m_closed;
    std::vector<std::string> m_names;
    mail::KeywordLetters m_letters;
    std::set<std::string> m_there;
    Copies m_copies;
    Leaving m_message;
    std::unique_ptr<Fingerprint> m_fingerprint;
    std::optional<mail::Maildir::Delivery> m_delivery;
    std::uint64_t m_count = 0;
    bool m_return_held = false;
};

} // namespace

std::unique_ptr<ArchiveOut> open_archive(std::optional<ArchiveKind> kind, const std::string& path) {
    struct stat info {};
    if (!kind && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
        kind = ArchiveKind::maildir;
    if (kind == ArchiveKind::maildir)
        return std::make_unique<MaildirOut>(path);
    return std::make_unique<MboxOut>(path);
}

ArchiveKind kind_of_archive(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        auto error = file_failure(errno, "Cannot read " + path);
        error.hint = "Name a file of mbox format or a Maildir.";
        throw error;
    }
    if (S_ISREG(info.st_mode))
        return ArchiveKind::mbox;
    if (!S_ISDIR(info.st_mode) || !mail::Maildir::is_one(path))
        throw make_error(Code::invalid, fmt::format("{} is neither an mbox file nor a Maildir.", path),
                         "A Maildir is the folder that holds cur/, new/ and tmp/.");
    return ArchiveKind::maildir;
}

} // namespace himalaya::store
