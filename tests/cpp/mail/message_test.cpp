#include "base/text.hpp"
#include "catch.hpp"
#include "mail/charset.hpp"
#include "mail/flowed.hpp"
#include "mail/html_text.hpp"
#include "mail/message.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <unistd.h>

using namespace himalaya;
using namespace himalaya::mail;

namespace {

const Mime& mime() {
    static auto loaded = Mime::load(MIME_SHARED_OBJECT, {});
    REQUIRE(loaded);
    return **loaded;
}

std::string header(const Message& message, std::string_view name) {
    for (const auto& header : message.headers)
        if (header.name == name)
            return header.value;
    return "(none)";
}

const char* const MIXED =
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n"
    "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n =?utf-8?B?IGF1cyDjg6E=?=\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=outer\r\n\r\n"
    "preamble\r\n--outer\r\n"
    "Content-Type: multipart/alternative; boundary=inner\r\n\r\n"
    "--inner\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
    "--inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Gr\xc3\xbc\xc3\x9f"
    "e</p>\r\n--inner--\r\n"
    "--outer\r\nContent-Type: application/pdf; name=\"=?utf-8?q?a=20b.pdf?=\"\r\n"
    "Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n"
    "--outer--\r\n";

} // namespace

TEST_CASE("a shared object of other sources is refused, with the command that mends it") {
    Mime::Loader loader{"0123456789abcdef", "cd '/plugins/himalaya.nvim' && ./scripts/build"};
    auto loaded = Mime::load(MIME_SHARED_OBJECT, loader);
    REQUIRE_FALSE(loaded);
    REQUIRE(loaded.error().code == Code::internal);
    REQUIRE(loaded.error().message.find(MIME_SHARED_OBJECT) != std::string::npos);
    REQUIRE(loaded.error().message.find("is of other sources (") != std::string::npos);
    REQUIRE(loaded.error().message.find("(0123456789abcdef)") != std::string::npos);
    REQUIRE(loaded.error().hint.find(loader.mend) != std::string::npos);

    auto missing = Mime::load("/nowhere/himalaya_mime.so", loader);
    REQUIRE_FALSE(missing);
    REQUIRE(missing.error().hint.find(loader.mend) != std::string::npos);
}

TEST_CASE("a message is its decoded headers, its text, its html and its attachments") {
    auto message = mime().read(MIXED);
    REQUIRE(header(message, "From") == "Jürgen <j@example.org>");
    REQUIRE(header(message, "Subject") == "Grüße aus メ");
    REQUIRE(message.text == "Grüße");
    REQUIRE(message.html == "<p>Grüße</p>");
    REQUIRE_FALSE(message.text_from_html);
    REQUIRE(message.attachments.size() == 1);
    REQUIRE(message.attachments[0].number == "2");
    REQUIRE(message.attachments[0].name == "a b.pdf");
    REQUIRE(message.attachments[0].mime == "application/pdf");
    REQUIRE(message.attachments[0].size == 5);
    REQUIRE(message.root.children.at(0).children.at(1).number == "1.2");
}

TEST_CASE("an attachment is saved decoded, and never over a file that is there") {
    auto path =
        (std::filesystem::temp_directory_path() / ("himalaya-part-" + std::to_string(getpid()))).string();
    auto saved = mime().save(MIXED, "2", path);
    REQUIRE(saved);
    REQUIRE(*saved == 5);
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    REQUIRE(text.str() == "Hello");
    REQUIRE_FALSE(mime().save(MIXED, "2", path));
    std::filesystem::remove(path);
    REQUIRE(mime().save(MIXED, "3", path).error().code == Code::not_found);
    REQUIRE(mime().save(MIXED, "1", path).error().code == Code::not_found);
    REQUIRE(mime().save(MIXED, "2.x", path).error().code == Code::not_found);
    REQUIRE_FALSE(std::filesystem::exists(path));
}

TEST_CASE("html alone is shown as text that says where it is from") {
    auto message = mime().read("Content-Type: text/html\r\n\r\n<h1>Hi</h1><p>you<br>there</p>");
    REQUIRE(message.text_from_html);
    REQUIRE(message.text == "Hi\n\nyou\nthere\n");
}

TEST_CASE("flowed text is put back into paragraphs") {
    auto message =
        mime().read("Content-Type: text/plain; format=flowed\r\n\r\none \r\ntwo\r\n> a \r\n> b\r\n-- \r\nme");
    REQUIRE(message.text == "one two\n> a b\n-- \nme\n");
    REQUIRE(unflowed("so \nlong\n", true) == "solong\n");
}

TEST_CASE("a message inside a message is an attachment that can be saved") {
    auto message = mime().read("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: "
                               "message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody\r\n--x--\r\n");
    REQUIRE(message.attachments.size() == 1);
    REQUIRE(message.attachments[0].name == "inner.eml");
    REQUIRE(message.attachments[0].number == "1");
}

TEST_CASE("broken messages are still messages") {
    REQUIRE(mime().read("").text.empty());
    REQUIRE(mime().read("no header at all").headers.empty());
    auto open = mime().read("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhello");
    REQUIRE(open.text.find("hello") != std::string::npos);
    auto raw = mime().read("Subject: caf\xe9\r\n\r\ncaf\xe9");
    REQUIRE(header(raw, "Subject") == "café");
    REQUIRE(raw.text == "café");
    auto control = mime().read("Subject: a\x1b[31mb\r\n\r\n");
    REQUIRE(header(control, "Subject") == "ab");
}

TEST_CASE("a hundred levels and 20,000 parts are cut and said to be") {
    std::string deep;
    for (int i = 0; i < 100; ++i)
        deep += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\r\n\r\n--b" +
                std::to_string(i) + "\r\n";
    REQUIRE(mime().read(deep + "\r\nend").truncated);
    std::string wide = "Content-Type: multipart/mixed; boundary=x\r\n\r\n";
    for (int i = 0; i < 20'000; ++i)
        wide += "--x\r\nContent-Disposition: attachment\r\n\r\na\r\n";
    auto message = mime().read(wide + "--x--\r\n");
    REQUIRE(message.truncated);
    REQUIRE(message.attachments.size() <= 10'000);
}

TEST_CASE("text of any charset is UTF-8 in the end") {
    REQUIRE(to_utf8("\xa4", "iso-8859-15") == "€");
    REQUIRE(to_utf8("\x93hi\x94", "iso-8859-1") == "“hi”");
    REQUIRE(to_utf8("\x1b$B$3\x1b(B", "iso-2022-jp") == "こ");
    REQUIRE(to_utf8("\xc4\xe3", "gb2312") == "你");
    REQUIRE(to_utf8("a\xff"
                    "b",
                    "utf-8") == "a\xef\xbf\xbd"
                                "b");
    REQUIRE(to_utf8("caf\xe9", "no-such-charset") == "café");
    REQUIRE(to_utf8("gr\xc3\xbcn", "us-ascii") == "grün");
    REQUIRE(to_utf8("", "utf-8").empty());
}

TEST_CASE("everything that is to be read is read, in its order, of alternatives the plain one") {
    // A list's footer below a page, as Mailman adds it.
    auto message = mime().read("Content-Type: multipart/mixed; boundary=b\n\n"
                               "--b\nContent-Type: text/html\n\n<p>The page</p>\n"
                               "--b\nContent-Type: text/plain\n\n1 < 2 & the footer\n--b--\n");
    REQUIRE(message.text == "The page\n1 < 2 & the footer");
    REQUIRE(message.text_from_html);
    REQUIRE(message.html == "<p>The page</p>\n<pre>1 &lt; 2 &amp; the footer</pre>");
    // Text round a picture, the rest of it as a page.
    message = mime().read("Content-Type: multipart/mixed; boundary=b\n\n"
                          "--b\nContent-Type: text/plain\n\nfirst\n"
                          "--b\nContent-Type: image/png\nContent-Disposition: inline\n\nx\n"
                          "--b\nContent-Type: text/html\n\n<p>second</p>\n--b--\n");
    REQUIRE(message.text == "first\nsecond\n");
    REQUIRE(message.attachments.size() == 1);
    // A plain alternative with nothing in it is none.
    message = mime().read("Content-Type: multipart/alternative; boundary=b\n\n"
                          "--b\nContent-Type: text/plain\n\n \n"
                          "--b\nContent-Type: text/html\n\n<p>page</p>\n--b--\n");
    REQUIRE(message.text == "page\n");
    REQUIRE(message.text_from_html);
    // With a plain one, the page is only kept for who asks.
    message = mime().read("Content-Type: multipart/mixed; boundary=o\n\n--o\n"
                          "Content-Type: multipart/alternative; boundary=b\n\n"
                          "--b\nContent-Type: text/plain\n\nplain\n"
                          "--b\nContent-Type: text/html\n\n<p>page</p>\n--b--\n"
                          "--o\nContent-Type: text/plain\n\nfooter\n--o--\n");
    REQUIRE(message.text == "plain\nfooter");
    REQUIRE(message.html == "<p>page</p>");
    REQUIRE_FALSE(message.text_from_html);
}

TEST_CASE("what does not name its kind or its parts rightly is shown as it is") {
    REQUIRE(mime().read("Content-Type: text\n\nold program\n").text == "old program\n");
    REQUIRE(mime().read("Content-Type: ;;;\n\nodd\n").text == "odd\n");
    REQUIRE(mime().read("Content-Type: multipart/mixed\n\nno boundary\n").text == "no boundary\n");
    REQUIRE(mime().read("Content-Type: multipart/mixed; boundary=a\n\n--b\n\nanother\n").text ==
            "--b\n\nanother\n");
    auto data = mime().read("Content-Type: application/octet-stream\n\nx\n");
    REQUIRE(data.text.empty());
    REQUIRE(data.attachments.size() == 1);
}

TEST_CASE("charsets by the names that mail has for them") {
    REQUIRE(to_utf8("\xf9\xec\xe5\xed", "iso-8859-8-i") == "שלום");
    REQUIRE(to_utf8("\xf9\xec\xe5\xed", "ISO-8859-8-E") == "שלום");
    REQUIRE(to_utf8("Gr\x9f\xa7"
                    "e",
                    "x-mac-roman") == "Grüße");
    REQUIRE(to_utf8("Gr\x9f\xa7"
                    "e",
                    "macintosh") == "Grüße");
    REQUIRE(to_utf8("\x8a", "x-cp1250") == "Š");
    REQUIRE(to_utf8("\x93x\x94", "iso8859-1") == "“x”");
    REQUIRE(to_utf8("\x93\xfa", "windows-31j") == "日");
}

TEST_CASE("html becomes lines, links keep their target, scripts and comments are gone") {
    REQUIRE(html_text("<p>a &amp; b&#33;</p><!-- no --><script>alert('<p>')</script><p>c</p>") ==
            "a & b!\n\nc\n");
    REQUIRE(html_text("see <a href='https://example.org/x?a=1&amp;b=2'>this</a> now") ==
            "see this <https://example.org/x?a=1&b=2> now\n");
    REQUIRE(html_text("<a href=\"https://example.org\">https://example.org</a>") == "https://example.org\n");
    REQUIRE(html_text("<ul><li>one<li>two</ul>") == "- one\n- two\n");
    REQUIRE(html_text("<pre>x  y\n z</pre>") == "x  y\n z\n");
    REQUIRE(html_text("<p>a \x1b[31mred\x1b[0m b</p><pre>\x1b[1mbold\x1b]0;t\x07</pre>") ==
            "a red b\n\nbold\n");
    REQUIRE(html_text("<blockquote>q</blockquote>after") == "> q\n\nafter\n");
    REQUIRE(html_text("1 < 2 and <") == "1 < 2 and <\n");
    REQUIRE(html_text("&#27;[2J&#0;").find('\x1b') == std::string::npos);
    REQUIRE(html_text("<p title=\"a>b\">x</p>") == "x\n");
    REQUIRE(html_text("<a href='javascript:x'>y</a>") == "y\n");
}

TEST_CASE("endless brackets take no endless time") {
    REQUIRE_NOTHROW(html_text(std::string(200'000, '<')));
    REQUIRE_NOTHROW(html_text("<a href=\"" + std::string(200'000, '"')));
}

TEST_CASE("messages with random damage are read, and so is each of their parts") {
    std::string seeds[] = {
        MIXED,
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: in\r\n\r\ntext\r\n--b--\r\n",
        "Content-Type: message/rfc822\r\n\r\nContent-Type: text/html; "
        "charset=iso-2022-jp\r\n\r\n\x1b$B\x1b(B<b>x\r\n",
        "Content-Type: text/plain; charset=utf-7; format=flowed; delsp=yes\r\n\r\n+AOk- \r\n > x\r\n",
        "Content-Type: application/x; name*0*=utf-8''%e4; name*1=b\r\nContent-Transfer-Encoding: "
        "uuencode\r\n\r\n"
        "begin 644 a\r\n#0V%T\r\n`\r\nend\r\n",
        "Content-Type: multipart/signed; boundary=\"b\"; protocol=\"x/y\"\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
        "Content-Type: message/external-body; access-type=url\r\n\r\n\r\n--b--",
    };
    auto words =
        std::to_array<std::string>({"--b", "--outer", "--inner--", "\r\n", "\n\n", "=?utf-8?b?", "?=", "\"",
                                    ";", "boundary=", "multipart/mixed", std::string(1, '\0'), "\xff",
                                    "charset=", "base64", "message/partial", "(", "=", "%"});
    std::mt19937 random(2026);
    auto folder = std::filesystem::temp_directory_path() / fmt::format("himalaya-damage-{}", ::getpid());
    std::filesystem::create_directory(folder);
    for (int round = 0; round < 3000; ++round) {
        auto bytes = seeds[random() % std::size(seeds)];
        for (auto left = 1 + random() % 8; left > 0 && !bytes.empty(); --left) {
            auto at = random() % bytes.size();
            switch (random() % 4) {
            case 0:
                bytes[at] = static_cast<char>(random());
                break;
            case 1:
                bytes.insert(at, words[random() % words.size()]);
                break;
            case 2:
                bytes.erase(at, random() % 20);
                break;
            default:
                bytes += bytes.substr(at, random() % 100);
            }
        }
        auto message = mime().read(bytes);
        REQUIRE(text::is_utf8(message.text));
        for (const auto& header : message.headers)
            REQUIRE(text::is_utf8(header.value));
        for (const auto& part : message.attachments) {
            REQUIRE(text::is_utf8(part.name));
            if (round % 10 == 0) {
                auto path = (folder / std::to_string(round)).string();
                (void)mime().save(bytes, part.number, path);
                std::filesystem::remove(path);
            }
        }
    }
    std::filesystem::remove_all(folder);
}
