#include "catch.hpp"

#include "mail/mbox.hpp"

#include <array>
#include <random>
#include <vector>

using namespace himalaya;
using namespace himalaya::mail;

namespace {

struct Read {
    FromLine from;
    std::string bytes;
    Flags flags;
};

struct Collect : MboxReader::Sink {
    void on_message(const FromLine& from) override { all.push_back({from, {}, {}}); }
    void on_bytes(std::string_view bytes) override { all.back().bytes += bytes; }
    void on_end(const Flags& flags) override { all.back().flags = flags; }
    std::vector<Read> all;
};

// Fed in pieces of `piece` bytes; nothing where it is no mbox.
std::optional<std::vector<Read>> read_mbox(std::string_view file, std::size_t piece = 1 << 20) {
    Collect collect;
    MboxReader reader(collect);
    while (!file.empty()) {
        auto part = file.substr(0, piece);
        file.remove_prefix(part.size());
        if (!reader.feed(part))
            return std::nullopt;
    }
    if (!reader.finish())
        return std::nullopt;
    return collect.all;
}

std::vector<std::string> messages_in(std::string_view file, std::size_t piece = 1 << 20) {
    std::vector<std::string> messages;
    auto all = read_mbox(file, piece);
    REQUIRE(all);
    for (auto& message : *all)
        messages.push_back(message.bytes);
    return messages;
}

std::string written(std::string_view message, const Flags& flags = {}, std::size_t piece = 1 << 20) {
    std::string out;
    MboxWriter writer(out, "anna@example.org", 1'770'091'506, flags);
    while (!message.empty()) {
        auto part = message.substr(0, piece);
        message.remove_prefix(part.size());
        writer.add(part);
    }
    writer.finish();
    return out;
}

constexpr const char* DATED = "From anna@example.org Tue Feb  3 04:05:06 2026\n";

} // namespace

TEST_CASE("From_ lines say who and when, in the ways programs write them") {
    auto when = [](std::string_view line) { return parse_from_line(line)->arrived.value_or(-1); };
    REQUIRE(from_line("anna@example.org", 1'770'091'506) == DATED);
    REQUIRE(when("From anna@example.org Tue Feb  3 04:05:06 2026") == 1'770'091'506);
    REQUIRE(when("From - Tue Feb 03 04:05:06 2026") == 1'770'091'506);
    REQUIRE(when("From anna@example.org  Tue Feb  3 04:05:06 CET 2026") == 1'770'091'506);
    REQUIRE(when("From anna@example.org Tue Feb  3 04:05:06 2026 +0100") == 1'770'091'506);
    REQUIRE(when("From anna@example.org Tue Feb  3 04:05 2026") == 1'770'091'500);
    REQUIRE(when("From \"anna berg\"@example.org Tue Feb  3 04:05:06 2026") == 1'770'091'506);
    REQUIRE(when("From the sea to the Sun Feb 3 of 2026") == -1);
    REQUIRE(when("From anna@example.org Tue Feb 33 04:05:06 2026") == -1);
    REQUIRE_FALSE(parse_from_line("from anna@example.org Tue Feb  3 04:05:06 2026"));
    REQUIRE(from_line("a b\nFrom c", 0).find('\n') == from_line("a b\nFrom c", 0).size() - 1);
    REQUIRE(from_line("", -5).starts_with("From MAILER-DAEMON Thu Jan  1 00:00:00 1970"));
}

TEST_CASE("a message comes back from an mbox byte for byte") {
    std::vector<std::string> messages = {
        "Subject: a\r\n\r\ntext\r\n",
        "Subject: a\r\n\r\nFrom here on\r\n>From there\r\n>>From everywhere\r\n>text\r\nFrom \r\nFrom\r\n",
        "Subject: a\r\n\r\nends with blank lines\r\n\r\n\r\n\r\n",
        "\r\nno header at all\r\n",
        " begins with a blank\r\nSubject: a\r\n\r\n",
        "Subject: only a header\r\n",
        "Subject: only a header, and its end\r\n\r\n",
        "From inside the header Tue Feb  3 04:05:06 2026\r\nSubject: a\r\n\r\ntext\r\n",
        "Status: RO\r\nX-Status: F\r\nX-Keywords: a\r\n b\r\nX-Kept-Status: x\r\nX-Kept-X-Kept-Status: y\r\n"
        "Subject: own flags\r\n\r\nStatus: this is text\r\n",
        "Content-Length: 3\r\nSubject: a lie\r\n\r\nlonger than three\r\n\r\nFrom x Tue Feb  3 04:05:06 "
        "2026\r\nmore\r\n",
        "Subject: a\r\n\r\n" + std::string(5000, '>') + "From far\r\n" + std::string(1024, '>') +
            "From \r\n" + std::string(1020, '>') + "From \r\n" + std::string(1019, '>') + "From \r\n" +
            std::string(3000, '>') + "\r\n",
        "Subject: a\r\n\r\n" + std::string(100'000, 'x') + "\r\n" + std::string(1023, 'y') + "\r\n" +
            std::string(1024, 'z') + "\r\n",
        std::string("Subject: a\r\n\r\nNULs \0\0 and \xff\xfe and a lone \r inside\r\n", 50),
        "Subject: a\r\n\r\n.\r\n..\r\nFrom the bottom\r\n",
        "Subject: " + std::string(2000, 's') + "\r\nStatus: " + std::string(3000, 't') + "\r\n\r\ntext\r\n",
    };
    for (std::size_t piece : {std::size_t(1) << 20, std::size_t(7), std::size_t(1)}) {
        std::string file;
        for (const auto& message : messages)
            file += written(message, {}, piece);
        auto back = messages_in(file, piece);
        REQUIRE(back.size() == messages.size());
        for (std::size_t i = 0; i < messages.size(); ++i) {
            INFO("message " << i << ", pieces of " << piece);
            REQUIRE((back[i] == messages[i]));
        }
    }
}

TEST_CASE("random messages come back from an mbox, whatever the pieces") {
    std::mt19937 random(42);
    const std::vector<std::string> words = {"From ",    ">",    "F",       "rom ",      "\r\n",
                                            "\r\n\r\n", "a: b", " ",       "Status: R", "X-Kept-",
                                            "\r",       "x",    ">>From ", DATED};
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::string> messages(1 + random() % 3);
        std::string file;
        for (auto& message : messages) {
            for (auto left = random() % 30; left > 0; --left) {
                auto word = words[random() % words.size()];
                if (word.ends_with('\n') && !word.ends_with("\r\n"))
                    word.replace(word.size() - 1, 1, "\r\n");
                message += word;
            }
            // A CR before a line end is part of it in no file.
            for (std::size_t at; (at = message.find("\r\r")) != std::string::npos;)
                message.erase(at, 1);
            while (message.ends_with('\r'))
                message.pop_back();
            message += "\r\n";
            file += written(message, {}, 1 + random() % 40);
        }
        auto back = messages_in(file, 1 + random() % 40);
        REQUIRE((back == messages));
    }
}

TEST_CASE("flags are kept in the fields that mutt and Dovecot use") {
    Flags flags{SEEN | FLAGGED | ANSWERED | FORWARDED, {"todo", "Work/2026"}};
    auto file = written("Subject: a\r\n\r\ntext\r\n", flags);
    REQUIRE(
        file.starts_with(std::string(DATED) +
                         "X-Keywords: todo Work/2026 $Forwarded\nX-Status: AF\nStatus: RO\nSubject: a\n\n"));
    auto back = read_mbox(file);
    REQUIRE(back->at(0).flags == flags);
    REQUIRE(read_mbox(written("Subject: a\r\n\r\n"))->at(0).flags.bits == 0);
    Flags many;
    for (int i = 0; i < 500; ++i)
        add_imap_flag(many, "keyword-" + std::to_string(i));
    REQUIRE(read_mbox(written("Subject: a\r\n\r\n", many))->at(0).flags == many);
    auto others =
        read_mbox(std::string(DATED) + "Subject: a\nX-Keywords: one,\n two\nX-Keywords: b)d\nStatus: OR\n\n");
    REQUIRE(others->at(0).flags == Flags{SEEN, {"one", "two"}});
    REQUIRE(others->at(0).bytes == "Subject: a\r\n");
}

TEST_CASE("what other programs left in an mbox is read") {
    SECTION("CRLF, a first blank line, no final newline") {
        auto all = messages_in("\r\nFrom a Tue Feb  3 04:05:06 2026\r\nSubject: a\r\n\r\none\r\n\r\n"
                               "From b Tue Feb  3 04:05:06 2026\r\nSubject: b\r\n\r\ntwo");
        REQUIRE(all == std::vector<std::string>{"Subject: a\r\n\r\none\r\n", "Subject: b\r\n\r\ntwo"});
    }
    SECTION("two files put together without a blank line between") {
        auto all = messages_in(std::string(DATED) + "Subject: a\n\none\n" + DATED + "Subject: b\n\ntwo\n");
        REQUIRE(all == std::vector<std::string>{"Subject: a\r\n\r\none\r\n", "Subject: b\r\n\r\ntwo\r\n"});
    }
    SECTION("an unquoted From_ in a text is text, unless it has a date") {
        auto all = messages_in(std::string(DATED) +
                               "Subject: a\n\none\n\nFrom me to you\n\nFrom Rome with 3 kisses\n");
        REQUIRE(all.size() == 1);
        REQUIRE(all[0].ends_with("From Rome with 3 kisses\r\n"));
    }
    SECTION("From_ lines without dates, where the first has none either") {
        auto all = messages_in("From nobody\nSubject: a\n\none\n\nFrom nobody\nSubject: b\n\ntwo\nFrom x\n");
        REQUIRE(all ==
                std::vector<std::string>{"Subject: a\r\n\r\none\r\n", "Subject: b\r\n\r\ntwo\r\nFrom x\r\n"});
    }
    SECTION("nothing at all is a file without messages; something else is none") {
        REQUIRE(read_mbox("")->empty());
        REQUIRE(read_mbox("\n\n")->empty());
        REQUIRE_FALSE(read_mbox("Subject: a\n\ntext\n"));
        REQUIRE_FALSE(read_mbox(std::string(100'000, '>')));
        REQUIRE_FALSE(read_mbox(std::string(100'000, '\0')));
        REQUIRE_FALSE(read_mbox("\x89PNG\r\n\x1a\n", 1));
    }
}

TEST_CASE("any bytes behind a From_ line are read, the same in any pieces") {
    std::mt19937 random(7);
    for (int round = 0; round < 500; ++round) {
        std::string file = DATED;
        for (auto left = random() % 400; left > 0; --left) {
            static constexpr std::string_view LIKELY = "From >\r\n:x \0\xff\tStatus";
            file += LIKELY[random() % LIKELY.size()];
        }
        auto whole = messages_in(file);
        REQUIRE((messages_in(file, 1) == whole));
        REQUIRE((messages_in(file, 13) == whole));
    }
}

TEST_CASE("a message of 100 MB goes through in pieces, and nothing of it is kept") {
    struct Count : MboxReader::Sink {
        void on_message(const FromLine&) override {}
        void on_bytes(std::string_view bytes) override {
            total += bytes.size();
            largest = std::max(largest, bytes.size());
        }
        void on_end(const Flags&) override {}
        std::size_t total = 0;
        std::size_t largest = 0;
    } count;
    MboxReader reader(count);
    std::string out;
    MboxWriter writer(out, "", 0, {});
    // Half of it one line.
    const std::string line = std::string(62, 'x') + "\r\n", part(64 << 10, 'y');
    std::string lines;
    while (lines.size() < part.size())
        lines += line;
    std::size_t given = 0, held = 0;
    auto pass = [&](const std::string& bytes) {
        given += bytes.size();
        writer.add(bytes);
        held = std::max(held, out.capacity());
        REQUIRE(reader.feed(out));
        out.clear();
    };
    pass("Subject: large\r\n\r\n");
    while (given < (50u << 20))
        pass(lines);
    while (given < (100u << 20))
        pass(part);
    writer.finish();
    REQUIRE(reader.feed(out));
    REQUIRE(reader.finish());
    REQUIRE(count.total == given + 2); // the last line got its end
    REQUIRE(count.largest < (1u << 20));
    REQUIRE(held < (1u << 20));
}
