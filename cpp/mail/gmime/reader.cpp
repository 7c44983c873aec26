// GMime behind mail/message.hpp. Bounds: a message of 10,000 parts or a hundred levels is cut, not followed.
#include "base/escape.hpp"
#include "mail/charset.hpp"
#include "mail/flowed.hpp"
#include "mail/html_text.hpp"
#include "mail/message.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmime/gmime.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>

namespace himalaya::mail {

namespace {

constexpr int MOST_PARTS = 10'000;
constexpr int DEEPEST = 50;
constexpr std::size_t LONGEST_TEXT = 64u << 20;

struct Unref {
    void operator()(gpointer object) const { g_object_unref(object); }
};
template<class T>
using Owned = std::unique_ptr<T, Unref>;

std::string one_line(std::string_view given) {
    std::string line;
    for (char c : text::without_escapes(given)) {
        if (c == '\r' || c == '\n')
            c = ' ';
        if (c == ' ' && !line.empty() && line.back() == ' ')
            continue;
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)
            line += c;
        else if (c == '\t')
            line += ' ';
    }
    return line;
}

std::string text_of(const char* text) {
    return text ? std::string(text) : std::string();
}

Owned<GMimeMessage> parse(std::string_view bytes) {
    Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
    Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_persist_stream(parser.get(), FALSE);
    return Owned<GMimeMessage>(g_mime_parser_construct_message(parser.get(), nullptr));
}

std::string decoded(GMimePart* part) {
    GMimeDataWrapper* content = g_mime_part_get_content(part);
    if (!content)
        return {};
    Owned<GMimeStream> stream(g_mime_stream_mem_new());
    g_mime_data_wrapper_write_to_stream(content, stream.get());
    GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
    return {reinterpret_cast<const char*>(bytes->data), bytes->len};
}

// The decoded size, without keeping the bytes.
std::int64_t decoded_size(GMimePart* part) {
    GMimeDataWrapper* content = g_mime_part_get_content(part);
    if (!content)
        return 0;
    Owned<GMimeStream> nowhere(g_mime_stream_null_new());
    return std::max<std::int64_t>(0, g_mime_data_wrapper_write_to_stream(content, nowhere.get()));
}

// What is read one after the other: the texts of a message, as plain text and as HTML.
struct Piece {
    std::string text;
    bool html;
};
using Pieces = std::vector<Piece>;

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \n\t") == std::string_view::npos;
}

class Walk {
  public:
    explicit Walk(Message& message) : m_message(message) {}

    // What is to be shown of this entity is added to `shown`.
    Part entity(GMimeObject* object, const std::string& number, int depth, Pieces& shown) {
        Part part;
        part.number = number;
        ++m_parts;
        part.mime = mime_of(object);
        part.content_id = text_of(g_mime_object_get_content_id(object));
        if (GMIME_IS_MULTIPART(object))
            multipart(GMIME_MULTIPART(object), part, depth, shown);
        else if (GMIME_IS_MESSAGE_PART(object))
            letter(GMIME_MESSAGE_PART(object), part, depth);
        else if (GMIME_IS_PART(object))
            leaf(GMIME_PART(object), part, shown);
        return part;
    }

    void finish(const Pieces& shown) {
        std::string html;
        for (const auto& piece : shown) {
            m_message.text_from_html = m_message.text_from_html || piece.html;
            add(m_message.text, piece.html ? html_text(piece.text) : piece.text);
            add(html, piece.html ? piece.text : "<pre>" + escaped(piece.text) + "</pre>");
        }
        if (m_message.text_from_html)
            m_message.html = std::move(html);
    }

  private:
    static std::string escaped(std::string_view text) {
        std::string result;
        for (char c : text) {
            if (c == '<')
                result += "&lt;";
            else if (c == '&')
                result += "&amp;";
            else
                result += c;
        }
        return result;
    }

    static std::string mime_of(GMimeObject* object) {
        GMimeContentType* type = g_mime_object_get_content_type(object);
        auto mime = fmt::format("{}/{}", lower(text_of(g_mime_content_type_get_media_type(type))),
                                lower(text_of(g_mime_content_type_get_media_subtype(type))));
        if (mime != "application/octet-stream")
            return mime;
        // GMime's word also for what it cannot read, like the "Content-Type: text" of old programs: then it is text
        // (RFC 2045, 5.2).
        GMimeHeader* header =
            g_mime_header_list_get_header(g_mime_object_get_header_list(object), "Content-Type");
        auto raw = header ? lower(text_of(g_mime_header_get_raw_value(header))) : std::string();
        return raw.empty() || raw.find("octet-stream") != std::string::npos ? mime : "text/plain";
    }

    static std::string lower(std::string text) {
        for (char& c : text)
            c = static_cast<char>(g_ascii_tolower(c));
        return text;
    }

    void multipart(GMimeMultipart* multipart, Part& part, int depth, Pieces& shown) {
        int count = g_mime_multipart_get_count(multipart);
        if (count == 0) {
            // The boundary is missing, or not the one that was named: better all of it than nothing.
            auto text = text_of(g_mime_multipart_get_prologue(multipart));
            show(shown, {plain_lines(to_utf8(text, "utf-8")), false});
            return;
        }
        bool choose = part.mime == "multipart/alternative";
        std::vector<Pieces> choices;
        for (int i = 0; i < count; ++i) {
            if (m_parts >= MOST_PARTS || depth >= DEEPEST) {
                m_message.truncated = true;
                break;
            }
            auto below =
                part.number.empty() ? std::to_string(i + 1) : fmt::format("{}.{}", part.number, i + 1);
            Pieces pieces;
            part.children.push_back(
                entity(g_mime_multipart_get_part(multipart, i), below, depth + 1, pieces));
            if (!choose)
                std::move(pieces.begin(), pieces.end(), std::back_inserter(shown));
            else if (!pieces.empty())
                choices.push_back(std::move(pieces));
        }
        if (choices.empty())
            return;
        auto plain = std::find_if(choices.begin(), choices.end(), [](const Pieces& pieces) {
            return std::none_of(pieces.begin(), pieces.end(), [](const Piece& piece) { return piece.html; });
        });
        auto& chosen = plain != choices.end() ? *plain : choices.front();
        std::move(chosen.begin(), chosen.end(), std::back_inserter(shown));
    }

    void show(Pieces& shown, Piece piece) {
        if (piece.html)
            add(m_message.html, piece.text);
        if (is_blank(piece.text))
            return;
        if (m_text_bytes + piece.text.size() > LONGEST_TEXT) {
            m_message.truncated = true;
            return;
        }
        m_text_bytes += piece.text.size();
        shown.push_back(std::move(piece));
    }

    void letter(GMimeMessagePart* holder, Part& part, int depth) {
        GMimeMessage* inner = g_mime_message_part_get_message(holder);
        part.attachment = true;
        if (inner) {
            part.name = one_line(text_of(g_mime_message_get_subject(inner)));
            Owned<GMimeStream> nowhere(g_mime_stream_null_new());
            part.size = std::max<std::int64_t>(
                0, g_mime_object_write_to_stream(GMIME_OBJECT(inner), nullptr, nowhere.get()));
            if (depth >= DEEPEST)
                m_message.truncated = true;
        }
        part.name = (part.name.empty() ? "message" : part.name) + ".eml";
        m_message.attachments.push_back(part);
    }

    void leaf(GMimePart* object, Part& part, Pieces& shown) {
        part.name = one_line(to_utf8(text_of(g_mime_part_get_filename(object)), "utf-8"));
        GMimeObject* base = GMIME_OBJECT(object);
        part.charset = lower(text_of(g_mime_object_get_content_type_parameter(base, "charset")));
        auto disposition = lower(text_of(g_mime_object_get_disposition(base)));
        bool is_text = part.mime == "text/plain" || part.mime == "text/html";
        part.attachment =
            disposition == "attachment" || !is_text || (!part.name.empty() && disposition != "inline");
        if (part.attachment) {
            part.size = decoded_size(object);
            m_message.attachments.push_back(part);
            return;
        }
        auto bytes = decoded(object);
        part.size = static_cast<std::int64_t>(bytes.size());
        auto text = plain_lines(to_utf8(bytes, part.charset));
        if (part.mime == "text/html")
            show(shown, {std::move(text), true});
        else
            show(shown, {flowed(base, std::move(text)), false});
    }

    static std::string flowed(GMimeObject* part, std::string text) {
        if (lower(text_of(g_mime_object_get_content_type_parameter(part, "format"))) != "flowed")
            return text;
        return unflowed(text,
                        lower(text_of(g_mime_object_get_content_type_parameter(part, "delsp"))) == "yes");
    }

    void add(std::string& into, const std::string& text) {
        if (into.size() + text.size() > LONGEST_TEXT) {
            m_message.truncated = true;
            return;
        }
        if (!into.empty() && into.back() != '\n')
            into += '\n';
        into += text;
    }

    Message& m_message;
    int m_parts = 0;
    std::size_t m_text_bytes = 0;
};

void read_headers(GMimeObject* object, Message& message) {
    GMimeHeaderList* list = g_mime_object_get_header_list(object);
    int count = g_mime_header_list_get_count(list);
    for (int i = 0; i < count; ++i) {
        GMimeHeader* header = g_mime_header_list_get_header_at(list, i);
        const char* raw = g_mime_header_get_raw_value(header);
        // Raw 8-bit bytes are what Windows programs of an older day send.
        auto unfolded = to_utf8(text_of(raw), "windows-1252");
        char* value = g_mime_utils_header_decode_text(nullptr, unfolded.c_str());
        message.headers.push_back(
            {one_line(text_of(g_mime_header_get_name(header))), one_line(to_utf8(text_of(value), "utf-8"))});
        g_free(value);
        auto& text = message.headers.back().value;
        text.erase(0, text.find_first_not_of(' '));
        text.erase(text.find_last_not_of(' ') + 1);
    }
}

// The part under this number, counted as Walk counts.
GMimeObject* find(GMimeObject* object, std::string_view number) {
    while (!number.empty()) {
        auto dot = number.find('.');
        auto index = std::atoi(std::string(number.substr(0, dot)).c_str());
        number = dot == std::string_view::npos ? std::string_view() : number.substr(dot + 1);
        if (!GMIME_IS_MULTIPART(object))
            return index == 1 && number.empty() ? object : nullptr;
        if (index < 1 || index > g_mime_multipart_get_count(GMIME_MULTIPART(object)))
            return nullptr;
        object = g_mime_multipart_get_part(GMIME_MULTIPART(object), index - 1);
    }
    return object;
}

class Reader : public Mime {
  public:
    Reader() { g_mime_init(); }

    Result<std::int64_t> save(std::string_view bytes, std::string_view number,
                              const std::string& path) const noexcept override {
        try {
            return save_part(bytes, number, path);
        } catch (...) {
            return make_error(Code::internal, "there was not enough memory to save that part");
        }
    }

  protected:
    bool read_into(std::string_view bytes, Message& message) const noexcept override {
        try {
            fill(message, bytes);
            return true;
        } catch (...) {
            return false;
        }
    }

  private:
    static void fill(Message& message, std::string_view bytes) {
        auto parsed = parse(bytes);
        if (!parsed) {
            // No header at all: then everything is text.
            message.text = plain_lines(to_utf8(bytes, "utf-8"));
            message.root = {
                "1", "text/plain", "", "utf-8", "", false, static_cast<std::int64_t>(bytes.size()), {}};
            return;
        }
        read_headers(GMIME_OBJECT(parsed.get()), message);
        if (GMimeObject* body = g_mime_message_get_mime_part(parsed.get())) {
            bool single = !GMIME_IS_MULTIPART(body);
            Walk walk(message);
            Pieces shown;
            message.root = walk.entity(body, single ? "1" : "", 0, shown);
            walk.finish(shown);
        }
    }

    static Result<std::int64_t> save_part(std::string_view bytes, std::string_view number,
                                          const std::string& path) {
        auto parsed = parse(bytes);
        GMimeObject* body = parsed ? g_mime_message_get_mime_part(parsed.get()) : nullptr;
        GMimeObject* part = body ? find(body, number) : nullptr;
        if (!part || GMIME_IS_MULTIPART(part))
            return make_error(Code::not_found, fmt::format("the message has no part {}", number));
        int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file < 0)
            return make_error(Code::store,
                              fmt::format("{} cannot be written: {}", path, std::strerror(errno)),
                              errno == EEXIST ? "choose another name" : "choose a folder you may write to");
        Owned<GMimeStream> stream(g_mime_stream_fs_new(file)); // closes it
        std::int64_t written = -1;
        if (GMIME_IS_MESSAGE_PART(part)) {
            GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
            written = inner ? g_mime_object_write_to_stream(GMIME_OBJECT(inner), nullptr, stream.get()) : 0;
        } else {
            GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(part));
            written = content ? g_mime_data_wrapper_write_to_stream(content, stream.get()) : 0;
        }
        if (written < 0 || g_mime_stream_flush(stream.get()) != 0) {
            auto error = make_error(Code::store, fmt::format("{} could not be written whole", path),
                                    "free some space");
            ::unlink(path.c_str());
            return error;
        }
        return written;
    }
};

} // namespace

} // namespace himalaya::mail

extern "C" __attribute__((visibility("default"))) himalaya::mail::Mime* himalaya_mime() {
    return new himalaya::mail::Reader();
}
