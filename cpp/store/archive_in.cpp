#include "store/archive_in.hpp"

#include "base/new_file.hpp"
#include "base/time.hpp"
#include "mail/envelope.hpp"
#include "mail/maildir.hpp"
#include "mail/mbox.hpp"
#include "store/body_stream.hpp"
#include "store/fingerprint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace himalaya::store {

namespace {

constexpr std::size_t PIECE = 256u << 10;
constexpr std::size_t MESSAGES_AT_ONCE = 200;
constexpr std::size_t PACKED_AT_ONCE = 2u << 20;
// What is looked at for the row: the header, and where attachments show.
constexpr std::size_t HEAD = 512u << 10;

struct File {
    explicit File(const std::string& path)
        : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd >= 0)
            ::close(fd);
    }
    // Bytes read into `piece`; 0 at the end, -1 with errno.
    ssize_t read(std::string& piece) const {
        for (;;) {
            auto got = ::read(fd, piece.data(), piece.size());
            if (got >= 0 || errno != EINTR)
                return got;
        }
    }
    int fd;
};

// Some programs keep their own state in a first message of this shape.
bool is_a_programs_own(const mail::Envelope& envelope) {
    return envelope.subject.starts_with("DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA");
}

// One message on its way in.
class Letter {
  public:
    explicit Letter(std::filesystem::path large) : m_packer(std::move(large)) {}

    void add(std::string_view bytes) {
        if (m_head.size() < HEAD)
            m_head += bytes.substr(0, HEAD - m_head.size());
        m_packer.add(bytes);
        m_fingerprint.add(bytes);
    }

    // Into the batch, unless there is nothing in it.
    void finish(Batch& batch, mail::Flags flags, std::optional<std::int64_t> arrived) {
        auto envelope = mail::read_envelope(m_head);
        if (m_packer.size() == 0 || is_a_programs_own(envelope)) {
            ++batch.empty;
            return;
        }
        Entering entering;
        auto& arrival = entering.arrival;
        arrival.sent = envelope.sent;
        arrival.arrived = arrived.value_or(envelope.sent.value_or(time::now_s()));
        arrival.date = std::move(envelope.date);
        arrival.flags = flags.bits;
        arrival.keywords = std::move(flags.keywords);
        arrival.size = m_packer.size();
        arrival.subject = std::move(envelope.subject);
        arrival.from = {std::move(envelope.from.name), std::move(envelope.from.addr)};
        for (auto& person : envelope.to)
            arrival.to.push_back({std::move(person.name), std::move(person.addr)});
        arrival.message_id = std::move(envelope.message_id);
        arrival.in_reply_to = std::move(envelope.in_reply_to);
        arrival.references = std::move(envelope.references);
        entering.has_attachment = mail::looks_attached(m_head);
        entering.fingerprint = m_fingerprint.finish();
        entering.body = m_packer.finish();
        batch.messages.push_back(std::move(entering));
    }

  private:
    BodyPacker m_packer;
    Fingerprint m_fingerprint;
    std::string m_head;
};

std::size_t packed_size(const Batch& batch) {
    return batch.messages.empty() ? 0 : batch.messages.back().body.packed.size();
}

class MboxIn : public ArchiveIn, private mail::MboxReader::Sink {
  public:
    MboxIn(std::string path, std::filesystem::path large, std::function<bool()> cancelled)
        : m_path(std::move(path)), m_large(std::move(large)), m_cancelled(std::move(cancelled)),
          m_file(m_path), m_reader(*this), m_piece(PIECE, '\0') {
        struct stat info {};
        if (m_file.fd < 0 || ::fstat(m_file.fd, &info) != 0)
            throw file_failure(errno, "Cannot read " + m_path);
        m_size = info.st_size;
    }

    Batch next() override {
        m_batch = {};
        m_packed = 0;
        while (m_batch.messages.size() < MESSAGES_AT_ONCE && m_packed < PACKED_AT_ONCE) {
            if (m_cancelled())
                throw make_error(Code::cancelled, "The import was cancelled.");
            auto got = m_file.read(m_piece);
            if (got < 0)
                throw file_failure(errno, "Cannot read " + m_path);
            m_read += got;
            bool fine =
                got == 0 ? m_reader.finish() : m_reader.feed({m_piece.data(), static_cast<std::size_t>(got)});
            if (!fine)
                throw make_error(
                    Code::invalid, fmt::format("{} is no mbox.", m_path),
                    "Its first line must be like \"From anna@example.org Tue Feb  3 04:05:06 2026\".");
            if (got == 0) {
                m_batch.last = true;
                break;
            }
        }
        m_batch.share =
            m_size > 0 ? std::min(1.0, static_cast<double>(m_read) / static_cast<double>(m_size)) : 1;
        return std::move(m_batch);
    }

  private:
    void on_message(const mail::FromLine& from) override {
        m_from = from;
        m_letter = std::make_unique<Letter>(m_large);
    }
    void on_bytes(std::string_view bytes) override { m_letter->add(bytes); }
    void on_end(const mail::Flags& flags) override {
        auto before = m_batch.messages.size();
        m_letter->finish(m_batch, flags, m_from.arrived);
        m_packed += m_batch.messages.size() > before ? packed_size(m_batch) : 0;
        m_letter.reset();
    }

    std::string m_path;
    std::filesystem::path m_large;
    std::function<bool()> m_cancelled;
    File m_file;
    mail::MboxReader m_reader;
    std::string m_piece;
    std::int64_t m_size = 0;
    std::int64_t m_read = 0;
    mail::FromLine m_from;
    std::unique_ptr<Letter> m_letter;
    Batch m_batch;
    std::size_t m_packed = 0;
};

class MaildirIn : public ArchiveIn {
  public:
    MaildirIn(const std::string& path, std::filesystem::path large, std::function<bool()> cancelled)
        : m_maildir(path), m_large(std::move(large)), m_cancelled(std::move(cancelled)),
          m_piece(PIECE, '\0') {
        auto entries = m_maildir.list();
        if (!entries)
            throw Error(entries.error());
        m_entries = std::move(*entries);
        m_letters = m_maildir.read_letters();
    }

    Batch next() override {
        Batch batch;
        std::size_t packed = 0;
        for (; m_at < m_entries.size() && batch.messages.size() < MESSAGES_AT_ONCE && packed < PACKED_AT_ONCE;
             ++m_at) {
            auto before = batch.messages.size();
            if (!read(m_entries[m_at], batch))
                ++batch.unreadable;
            packed += batch.messages.size() > before ? packed_size(batch) : 0;
        }
        batch.last = m_at == m_entries.size();
        batch.total = static_cast<std::int64_t>(m_entries.size());
        batch.share = batch.last ? 1 : static_cast<double>(m_at) / static_cast<double>(m_entries.size());
        return batch;
    }

  private:
    bool read(const mail::MaildirEntry& entry, Batch& batch) {
        File file(m_maildir.path_of(entry));
        struct stat info {};
        if (file.fd < 0 || ::fstat(file.fd, &info) != 0 || !S_ISREG(info.st_mode))
            return false;
        Letter letter(m_large);
        CrlfLines lines;
        for (;;) {
            if (m_cancelled())
                throw make_error(Code::cancelled, "The import was cancelled.");
            auto got = file.read(m_piece);
            if (got < 0)
                return false;
            if (got == 0)
                break;
            letter.add(lines.of({m_piece.data(), static_cast<std::size_t>(got)}));
        }
        auto flags = mail::parse_maildir_name(entry.file, m_letters).flags;
        letter.finish(batch, std::move(flags), info.st_mtime);
        return true;
    }

    // Lines that end in LF end in CRLF.
    class CrlfLines {
      public:
        const std::string& of(std::string_view bytes) {
            m_out.clear();
            for (char c : bytes) {
                if (c == '\n' && m_before != '\r')
                    m_out += '\r';
                m_out += m_before = c;
            }
            return m_out;
        }

      private:
        std::string m_out;
        char m_before = 0;
    };

    mail::Maildir m_maildir;
    std::filesystem::path m_large;
    std::function<bool()> m_cancelled;
    std::string m_piece;
    std::vector<mail::MaildirEntry> m_entries;
    mail::KeywordLetters m_letters;
    std::size_t m_at = 0;
};

} // namespace

std::unique_ptr<ArchiveIn> read_archive(const std::string& path, std::filesystem::path large,
                                        std::function<bool()> cancelled) {
    if (kind_of_archive(path) == ArchiveKind::maildir)
        return std::make_unique<MaildirIn>(path, std::move(large), std::move(cancelled));
    return std::make_unique<MboxIn>(path, std::move(large), std::move(cancelled));
}

} // namespace himalaya::store
