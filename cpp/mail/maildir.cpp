#include "mail/maildir.hpp"

#include "base/new_file.hpp"
#include "base/text.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace himalaya::mail {

namespace {

constexpr std::size_t MOST_LETTERS = 26;
constexpr std::string_view LETTERS_FILE = "/dovecot-keywords";
// In the order of their letters, as names have them.
constexpr std::array<std::pair<char, std::uint32_t>, 6> LETTERS = {
    {{'D', DRAFT}, {'F', FLAGGED}, {'P', FORWARDED}, {'R', ANSWERED}, {'S', SEEN}, {'T', DELETED}}};

bool is_folder(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

bool is_empty(const std::string& path) {
    OpenFolder folder(::opendir(path.c_str()));
    while (dirent* entry = folder ? ::readdir(folder.get()) : nullptr)
        if (std::string_view name = entry->d_name; name != "." && name != "..")
            return false;
    return true;
}

} // namespace

MaildirName parse_maildir_name(std::string_view file, const KeywordLetters& letters) {
    auto info = file.rfind(":2,");
    MaildirName name{std::string(file.substr(0, info)), {}};
    if (info == std::string_view::npos)
        return name;
    for (char c : file.substr(info + 3)) {
        if (c == ',')
            break; // what follows is some program's own
        for (auto [letter, bit] : LETTERS)
            if (c == letter)
                name.flags.bits |= bit;
        auto index = static_cast<std::size_t>(c - 'a');
        if (c >= 'a' && c <= 'z' && index < letters.size())
            add_imap_flag(name.flags, letters[index]);
    }
    return name;
}

std::string maildir_name(std::string_view unique, const Flags& flags, KeywordLetters& letters) {
    std::string name(unique);
    name += ":2,";
    for (auto [letter, bit] : LETTERS)
        if (flags.bits & bit)
            name += letter;
    std::string small;
    for (const auto& keyword : flags.keywords) {
        auto at = std::find_if(letters.begin(), letters.end(), [&](const std::string& known) {
            return text::same_ignoring_case(known, keyword);
        });
        if (at == letters.end()) {
            if (letters.size() >= MOST_LETTERS || !is_keyword(keyword))
                continue;
            at = letters.insert(letters.end(), keyword);
        }
        small += static_cast<char>('a' + (at - letters.begin()));
    }
    std::sort(small.begin(), small.end());
    return name + small;
}

KeywordLetters parse_keyword_letters(std::string_view file) {
    KeywordLetters letters;
    for (auto line : text::split(file, '\n')) {
        auto blank = line.find(' ');
        auto index = text::to_unsigned(line.substr(0, blank));
        if (blank == std::string_view::npos || !index || *index >= MOST_LETTERS)
            continue;
        auto name = text::trim(line.substr(blank + 1));
        if (letters.size() <= *index)
            letters.resize(*index + 1);
        if (is_keyword(name))
            letters[*index] = name;
    }
    return letters;
}

std::string keyword_letters_file(const KeywordLetters& letters) {
    std::string file;
    for (std::size_t i = 0; i < letters.size(); ++i)
        if (!letters[i].empty())
            file += fmt::format("{} {}\n", i, letters[i]);
    return file;
}

bool Maildir::is_one(const std::string& path) {
    return is_folder(path + "/cur");
}

Result<void> Maildir::make() const {
    if (is_folder(m_path) && !is_one(m_path) && !is_empty(m_path))
        return make_error(Code::invalid, fmt::format("{} is a folder of something else.", m_path),
                          "Name a Maildir, an empty folder, or one that is not there yet.");
    for (const char* part : {"", "/tmp", "/new", "/cur"})
        if (auto made = make_folders(m_path + part); !made)
            return made;
    return {};
}

Result<std::vector<MaildirEntry>> Maildir::list() const {
    std::vector<MaildirEntry> entries;
    for (const char* place : {"new", "cur"}) {
        auto path = m_path + "/" + place;
        OpenFolder folder(::opendir(path.c_str()));
        if (!folder) {
            if (errno == ENOENT && std::string_view(place) == "new")
                continue;
            return file_failure(errno, "Cannot read the folder " + path);
        }
        errno = 0;
        while (dirent* entry = ::readdir(folder.get())) {
            bool plain = entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN;
            if (entry->d_name[0] != '.' && plain)
                entries.push_back({place, entry->d_name});
            errno = 0;
        }
        if (errno != 0)
            return file_failure(errno, "Cannot read the folder " + path);
    }
    std::sort(entries.begin(), entries.end(),
              [](const MaildirEntry& a, const MaildirEntry& b) { return a.file < b.file; });
    return entries;
}

std::string Maildir::path_of(const MaildirEntry& entry) const {
    return fmt::format("{}/{}/{}", m_path, entry.place, entry.file);
}

KeywordLetters Maildir::read_letters() const {
    auto file = read_small_file(m_path + std::string(LETTERS_FILE));
    return file ? parse_keyword_letters(*file) : KeywordLetters();
}

Result<void> Maildir::write_letters(const KeywordLetters& letters) const {
    return write_new_file(m_path + std::string(LETTERS_FILE), keyword_letters_file(letters));
}

Result<Maildir::Delivery> Maildir::Delivery::begin(const Maildir& maildir, const std::string& unique) {
    auto file = fmt::format("{}/tmp/{}.{}", maildir.path(), unique, ::getpid());
    ::unlink(file.c_str()); // of a process with our number that was killed
    int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return file_failure(errno, fmt::format("Cannot write into {}", maildir.path()));
    return Delivery(maildir.path(), std::move(file), fd);
}

Maildir::Delivery::Delivery(Delivery&& other) noexcept
    : m_folder(std::move(other.m_folder)), m_file(std::exchange(other.m_file, {})),
      m_fd(std::exchange(other.m_fd, -1)) {}

Maildir::Delivery::~Delivery() {
    if (m_fd >= 0)
        ::close(m_fd);
    if (!m_file.empty())
        ::unlink(m_file.c_str());
}

Result<void> Maildir::Delivery::write(std::string_view bytes) {
    while (!bytes.empty()) {
        auto wrote = ::write(m_fd, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return file_failure(errno, fmt::format("Cannot write into {}", m_folder));
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

Result<void> Maildir::Delivery::close(std::int64_t arrived) {
    std::array<timespec, 2> times = {timespec{arrived, 0}, timespec{arrived, 0}};
    ::futimens(m_fd, times.data()); // when a message arrived is the age of its file
    if (::close(std::exchange(m_fd, -1)) != 0)
        return file_failure(errno, fmt::format("Cannot write into {}", m_folder));
    return {};
}

Result<bool> Maildir::Delivery::appear(const std::string& name) {
    auto place = fmt::format("{}/cur/{}", m_folder, name);
    // A link and not a rename: it never takes another file's place.
    if (::link(m_file.c_str(), place.c_str()) != 0) {
        int number = errno;
        // Some disks have no links.
        if (number == EEXIST || ::access(place.c_str(), F_OK) == 0)
            return false;
        if (::rename(m_file.c_str(), place.c_str()) != 0)
            return file_failure(errno, fmt::format("Cannot write into {}", m_folder));
        m_file.clear();
    }
    return true;
}

Result<void> Maildir::sync(const std::vector<Delivery>& closed) const {
    auto tried = fmt::format("Cannot write into {}", m_path);
#ifdef __linux__
    if (closed.size() > 1) {
        int folder = ::open((m_path + "/tmp").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int number = folder >= 0 && ::syncfs(folder) == 0 ? 0 : errno;
        if (folder >= 0)
            ::close(folder);
        return number == 0 ? Result<void>() : file_failure(number, tried);
    }
#endif
    for (const auto& delivery : closed) {
        int file = ::open(delivery.m_file.c_str(), O_RDONLY | O_CLOEXEC);
        int number = file >= 0 && ::fsync(file) == 0 ? 0 : errno;
        if (file >= 0)
            ::close(file);
        if (number != 0)
            return file_failure(number, tried);
    }
    return {};
}

} // namespace himalaya::mail
