// parser_bench [--replies N] [--runs N] [--json]: MB/s of the parser alone. N recorded-like replies with ENVELOPE and
// BODYSTRUCTURE, no literal over 100 bytes, come in chunks of 64 KiB as from a socket; every typed result is built and
// looked at (the fields a list of messages shows). The median of the runs counts, after one that warms up.
// --bodies: 64 MB of bodies of 4 KB to a sink instead.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "imap/parser.hpp"

using namespace himalaya::imap;

namespace {

std::string envelope_reply(size_t i) {
    const std::string n = std::to_string(i + 1);
    const std::string who = "(\"Sender Number " + n + "\" NIL \"sender" + n + "\" \"example.org\")";
    std::string reply =
        "* " + n + " FETCH (UID " + std::to_string(i * 3 + 1) +
        " FLAGS (\\Seen $Forwarded) INTERNALDATE \"12-Mar-2024 08:15:" + std::to_string(10 + i % 50) +
        " +0100\" RFC822.SIZE " + std::to_string(2000 + i % 9000) +
        " ENVELOPE (\"Tue, 12 Mar 2024 08:15:30 +0100\" ";
    const std::string literal = "A subject with \"quotes\", as a literal";
    if (i % 10 == 0)
        reply += "{" + std::to_string(literal.size()) + "}\r\n" + literal;
    else
        reply += "\"Re: [team] minutes of meeting " + n + " and what follows from it\"";
    reply += " (" + who + ") (" + who + ") (" + who + ") ((NIL NIL \"team\" \"lists.example.org\")" + who +
             ") NIL NIL \"<before." + n + "@mail.example.org>\" \"<message." + n + "@mail.example.org>\") ";
    if (i % 3 == 0)
        reply += "BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"utf-8\" \"format\" \"flowed\") NIL NIL "
                 "\"quoted-printable\" 1843 52 NIL NIL NIL NIL)";
    else
        reply +=
            "BODYSTRUCTURE (((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" 1843 "
            "52 NIL "
            "NIL NIL NIL)(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" 9921 188 "
            "NIL NIL "
            "NIL NIL) \"alternative\" (\"boundary\" \"----=_Part_1234_5678.90\") NIL NIL "
            "NIL)(\"application\" "
            "\"pdf\" (\"name\" \"minutes.pdf\") NIL NIL \"base64\" 80244 NIL (\"attachment\" (\"filename\" "
            "\"minutes.pdf\")) NIL NIL) \"mixed\" (\"boundary\" \"----=_Part_1233_5678.90\") NIL NIL NIL)";
    return reply + ")\r\n";
}

std::string body_reply(size_t i) {
    std::string body;
    while (body.size() < 4000)
        body += "Some text of a message that is as long as most lines of mail are.\r\n";
    return "* " + std::to_string(i + 1) + " FETCH (UID " + std::to_string(i + 1) + " BODY[] {" +
           std::to_string(body.size()) + "}\r\n" + body + ")\r\n";
}

class Counter : public LiteralSink {
  public:
    void start(const LiteralStart&) override {}
    void bytes(std::span<const char> bytes) override { m_count += bytes.size(); }
    void end(bool) override {}
    size_t m_count = 0;
};

struct Seen {
    size_t fetches = 0;
    size_t malformed = 0;
    size_t sum = 0; // keeps the compiler from throwing work away
};

Seen read_all(const std::string& bytes, LiteralSink* sink) {
    constexpr size_t chunk = 65536;
    Parser parser;
    parser.set_sink(sink);
    Seen seen;
    for (size_t at = 0; at < bytes.size(); at += chunk) {
        parser.feed({bytes.data() + at, std::min(chunk, bytes.size() - at)});
        while (const Response* response = parser.next()) {
            if (const auto* fetch = std::get_if<Fetch>(response)) {
                seen.fetches++;
                seen.sum += fetch->uid.value_or(0) + fetch->flags.size() + fetch->size.value_or(0);
                if (fetch->envelope)
                    seen.sum += fetch->envelope->subject.size() + fetch->envelope->from.size() +
                                fetch->envelope->message_id.size();
                if (fetch->body)
                    seen.sum += fetch->body->children.size() + fetch->body->octets;
            } else {
                seen.malformed += std::holds_alternative<Malformed>(*response);
            }
        }
    }
    return seen;
}

} // namespace

int main(int argc, char** argv) {
    size_t replies = 50000;
    size_t runs = 5;
    bool json = false;
    bool bodies = false;
    for (int i = 1; i < argc; i++) {
        if (std::strcmp(argv[i], "--replies") == 0 && i + 1 < argc)
            replies = std::strtoul(argv[++i], nullptr, 10);
        else if (std::strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            runs = std::strtoul(argv[++i], nullptr, 10);
        else if (std::strcmp(argv[i], "--json") == 0)
            json = true;
        else if (std::strcmp(argv[i], "--bodies") == 0)
            bodies = true;
    }
    if (bodies)
        replies = 16000;
    std::string bytes;
    for (size_t i = 0; i < replies; i++)
        bytes += bodies ? body_reply(i) : envelope_reply(i);

    Counter counter;
    std::vector<double> seconds;
    Seen seen;
    for (size_t run = 0; run <= runs; run++) {
        const auto begin = std::chrono::steady_clock::now();
        seen = read_all(bytes, bodies ? &counter : nullptr);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        if (run > 0)
            seconds.push_back(taken.count());
    }
    std::sort(seconds.begin(), seconds.end());
    const double median = seconds.empty() ? 1 : seconds[seconds.size() / 2];
    const double megabytes = double(bytes.size()) / 1e6;
    if (seen.fetches != replies || seen.malformed > 0) {
        std::fprintf(stderr, "parser_bench: %zu of %zu replies read\n", seen.fetches, replies);
        return 1;
    }
    if (json)
        std::printf("{\"replies\":%zu,\"bytes\":%zu,\"seconds\":%.6f,\"mb_per_s\":%.1f,\"checksum\":%zu}\n",
                    replies, bytes.size(), median, megabytes / median, seen.sum + counter.m_count);
    else
        std::printf("%zu replies, %.1f MB: %.1f ms, %.0f MB/s (checksum %zu)\n", replies, megabytes,
                    median * 1e3, megabytes / median, seen.sum + counter.m_count);
    return 0;
}
