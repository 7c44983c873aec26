// mime_dump file.eml: what a reader would see of the message, as one JSON object.
#include "base/json_out.hpp"
#include "mail/message.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace himalaya;

namespace {

void write_part(json::Writer& out, const mail::Part& part) {
    out.begin_object();
    out.member("part", part.number).member("mime", part.mime).member("name", part.name);
    out.member("charset", part.charset).member("content_id", part.content_id);
    out.member("size", part.size).member("attachment", part.attachment);
    if (!part.children.empty()) {
        out.key("parts").begin_array();
        for (const auto& child : part.children)
            write_part(out, child);
        out.end_array();
    }
    out.end_object();
}

std::string dump(const mail::Message& message) {
    json::Writer out;
    out.begin_object();
    out.key("headers").begin_array();
    for (const auto& header : message.headers)
        out.begin_object().member("name", header.name).member("value", header.value).end_object();
    out.end_array();
    out.key("parts");
    write_part(out, message.root);
    out.member("text", message.text).member("html", message.html);
    out.member("text_from_html", message.text_from_html).member("truncated", message.truncated);
    out.key("attachments").begin_array();
    for (const auto& part : message.attachments)
        write_part(out, part);
    out.end_array();
    out.end_object();
    return out.str();
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: mime_dump file.eml\n");
        return 2;
    }
    std::ifstream file(argv[1], std::ios::binary);
    if (!file) {
        std::fprintf(stderr, "mime_dump: %s cannot be read\n", argv[1]);
        return 1;
    }
    std::ostringstream bytes;
    bytes << file.rdbuf();
    auto mime = mail::Mime::load(MIME_SHARED_OBJECT, {});
    if (!mime) {
        std::fprintf(stderr, "mime_dump: %s\n", mime.error().message.c_str());
        return 1;
    }
    std::printf("%s\n", dump((*mime)->read(bytes.view())).c_str());
}
