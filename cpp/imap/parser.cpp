#include "imap/parser.hpp"

#include "imap/grammar.hpp"
#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

bool is_tag(Text word) {
    for (const char c : word)
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '+' || c == '*' || c == '{' ||
            c == '%' || c == '\\')
            return false;
    return !word.empty();
}

// Names of responses start with one; what does not is garbage, not a response we do not know.
bool starts_with_letter(Text word) {
    return !word.empty() && upper(word[0]) >= 'A' && upper(word[0]) <= 'Z';
}

} // namespace

class Parser::Impl {
  public:
    explicit Impl(const Limits& limits) : m_limits(limits), m_arena(limits.memory), m_lexer(limits) {}

    Lexer& lexer() { return m_lexer; }
    size_t memory() const { return m_arena.memory() + m_lexer.memory(); }

    const Response* next() {
        switch (m_lexer.next()) {
        case Lexer::Found::nothing:
            return nullptr;
        case Lexer::Found::malformed: {
            Malformed malformed = m_lexer.malformed();
            malformed.too_large = !malformed.lost && !m_lexer.finished();
            m_response = malformed;
            return &m_response;
        }
        case Lexer::Found::frame:
            break;
        }
        m_arena.reset();
        Scanner in(m_lexer.frame(), m_arena, m_limits);
        m_reads_fetch = false;
        m_unread = {};
        if (!read(in)) {
            in.fail("not a response");
            Malformed malformed{in.error(), in.error_offset()};
            if (m_reads_fetch) {
                malformed.fetch = true;
                malformed.uid = std::get<Fetch>(m_response).uid;
                malformed.item = m_unread;
            }
            m_response = malformed;
        }
        return &m_response;
    }

  private:
    bool read(Scanner& in) {
        const std::string_view line = in.rest();
        if (line.starts_with("* ")) {
            in.advance(2);
            return read_untagged(in);
        }
        if (line.starts_with('+'))
            return read_continuation(in, line);
        return read_tagged(in);
    }

    bool read_continuation(Scanner& in, std::string_view line) {
        auto& go_on = m_response.emplace<Continuation>();
        in.advance(1);
        if (quirk::bare_plus(line)) {
            go_on.text = Text("");
            return true;
        }
        return in.peek() == ' ' ? read_status_text(in, go_on.code, go_on.text) : in.fail("expected a space");
    }

    bool read_tagged(Scanner& in) {
        const Text tag = in.word();
        if (!is_tag(tag))
            return in.fail("expected `*`, `+` or a tag");
        if (!in.space())
            return false;
        return read_status(in, in.word(), tag) || in.fail("expected OK, NO or BAD");
    }

    bool read_status(Scanner& in, Text word, Text tag) {
        Condition condition{};
        if (!read_condition(word, condition) || (!tag.empty() && condition == Condition::preauth))
            return false; // quirk::tagged_bye passes
        auto& status = m_response.emplace<Status>();
        status.condition = condition;
        status.tag = tag;
        return read_status_text(in, status.code, status.text);
    }

    bool read_untagged(Scanner& in) {
        if (is_digit(in.peek()))
            return read_numbered(in);
        if (quirk::code_without_ok(in.rest())) {
            auto& status = m_response.emplace<Status>();
            return read_status_text(in, status.code, status.text);
        }
        const Text word = in.word();
        if (!starts_with_letter(word))
            return in.fail("expected the name of a response");
        Condition condition{};
        if (read_condition(word, condition))
            return read_status(in, word, {});
        // These may come with nothing behind them.
        if (same_word(word, "SEARCH") || same_word(word, "SORT")) {
            auto& result = m_response.emplace<SearchResult>();
            result.sorted = same_word(word, "SORT");
            return read_search(in, result);
        }
        if (same_word(word, "THREAD"))
            return read_thread(in, m_response.emplace<ThreadResult>());
        if (same_word(word, "ESEARCH"))
            return read_esearch(in, m_response.emplace<Esearch>());
        if (same_word(word, "ENABLED"))
            return read_capabilities(in, m_response.emplace<Enabled>().names, false);
        if (same_word(word, "CAPABILITY"))
            return read_capabilities(in, m_response.emplace<Capability>().names, false);
        if (!in.at_end() && !in.space())
            return false;
        if (same_word(word, "LIST"))
            return read_folder_from(in, Folder::From::list);
        if (same_word(word, "LSUB"))
            return read_folder_from(in, Folder::From::lsub);
        if (same_word(word, "XLIST"))
            return read_folder_from(in, Folder::From::xlist);
        if (same_word(word, "STATUS"))
            return read_folder_status(in, m_response.emplace<FolderStatus>());
        if (same_word(word, "FLAGS"))
            return in.words(m_response.emplace<Flags>().names) && in.finish();
        if (same_word(word, "VANISHED"))
            return read_vanished(in, m_response.emplace<Vanished>());
        if (same_word(word, "NAMESPACE"))
            return read_namespaces(in, m_response.emplace<Namespaces>());
        if (same_word(word, "ID"))
            return read_identity(in, m_response.emplace<Identity>());
        return read_other(in, {}, word);
    }

    bool read_numbered(Scanner& in) {
        uint32_t number = 0;
        if (!in.number(number) || !in.space())
            return false;
        const Text word = in.word();
        if (same_word(word, "FETCH")) {
            auto& fetch = m_response.emplace<Fetch>();
            fetch.seq = number; // quirk::fetch_of_message_zero
            m_reads_fetch = true;
            return in.space() && read_fetch(in, fetch, m_unread);
        }
        if (same_word(word, "EXISTS")) {
            m_response = Exists{number};
            return in.finish();
        }
        if (same_word(word, "RECENT")) {
            m_response = Recent{number};
            return in.finish();
        }
        if (same_word(word, "EXPUNGE")) {
            m_response = Expunge{number};
            return in.finish();
        }
        if (!starts_with_letter(word))
            return in.fail("expected the name of a response");
        if (!in.at_end() && !in.space())
            return false;
        return read_other(in, number, word);
    }

    bool read_folder_from(Scanner& in, Folder::From from) {
        auto& folder = m_response.emplace<Folder>();
        folder.from = from;
        return read_folder(in, folder);
    }

    // Its values must at least end: that keeps garbage out and nesting bounded.
    bool read_other(Scanner& in, std::optional<uint32_t> number, Text name) {
        const size_t begin = in.position();
        for (in.spaces(); !in.at_end(); in.spaces()) {
            Text skipped;
            if (!in.raw(skipped))
                return false;
        }
        m_response = Other{number, name, in.since(begin)};
        return true;
    }

    Limits m_limits;
    Arena m_arena;
    Lexer m_lexer;
    Response m_response;
    bool m_reads_fetch = false;
    Text m_unread; // the item of a FETCH that could not be read
};

Parser::Parser(const Limits& limits) : m_impl(std::make_unique<Impl>(limits)) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

void Parser::set_sink(LiteralSink* sink) {
    m_impl->lexer().set_sink(sink);
}
void Parser::feed(std::span<const char> chunk) {
    m_impl->lexer().feed(chunk);
}
const Response* Parser::next() {
    return m_impl->next();
}
void Parser::keep() {
    m_impl->lexer().keep();
}
void Parser::finish() {
    m_impl->lexer().finish();
}
void Parser::discard() {
    m_impl->lexer().discard();
}
uint64_t Parser::offset() const {
    return m_impl->lexer().offset();
}
uint64_t Parser::unfinished() const {
    return m_impl->lexer().unfinished();
}
size_t Parser::memory() const {
    return m_impl->memory();
}

} // namespace himalaya::imap
