// The peer of the benches: how fast the bytes of some IMAP commands come when nobody looks at them. Logs in, sends
// each command, reads its reply to nowhere, prints one JSON line of bytes and seconds for each.
//
//   raw_reader [--plain] [--ca-file FILE] [--wire] HOST PORT USER PASSWORD COMMAND...
//
// A blocking SSL_read loop; with --wire the same through net::Wire on a loop, which shows what our layers add. The
// clock runs from sending a command to the end of its reply.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.hpp"
#include "net/wire.hpp"

namespace {

using namespace himalaya;
using Clock = std::chrono::steady_clock;

struct Options {
    bool plain = false;
    bool wire = false;
    std::string ca_file, host, port, user, password;
    std::vector<std::string> commands;
};

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "raw_reader: %s\n", why.c_str());
    std::exit(1);
}

Options parse(int argc, char** argv) {
    Options options;
    int at = 1;
    for (; at < argc && std::strncmp(argv[at], "--", 2) == 0; ++at) {
        std::string flag = argv[at];
        if (flag == "--plain")
            options.plain = true;
        else if (flag == "--wire")
            options.wire = true;
        else if (flag == "--ca-file" && at + 1 < argc)
            options.ca_file = argv[++at];
        else
            fail("unknown option " + flag);
    }
    if (argc - at < 5)
        fail("usage: raw_reader [--plain] [--ca-file FILE] [--wire] HOST PORT USER PASSWORD COMMAND...");
    options.host = argv[at];
    options.port = argv[at + 1];
    options.user = argv[at + 2];
    options.password = argv[at + 3];
    options.commands.assign(argv + at + 4, argv + argc);
    return options;
}

// Notices the tagged line that ends a reply, from the last bytes alone: nothing else of the reply is looked at.
class Ending {
  public:
    void begin(std::string tag) {
        m_start = "\r\n" + std::move(tag) + " ";
        m_tail = "\r\n";
    }
    bool over(const char* data, std::size_t size) {
        constexpr std::size_t TAIL = 1024;
        if (size >= TAIL) {
            m_tail.assign(data + size - TAIL, TAIL);
        } else {
            m_tail.append(data, size);
            if (m_tail.size() > TAIL)
                m_tail.erase(0, m_tail.size() - TAIL);
        }
        if (!m_tail.ends_with("\r\n"))
            return false;
        std::size_t line = m_tail.rfind("\r\n", m_tail.size() - 3);
        return line != std::string::npos && m_tail.compare(line, m_start.size(), m_start) == 0;
    }
    bool good() const { return m_tail.find(m_start + "OK") != std::string::npos; }
    std::string line() const { return m_tail.substr(m_tail.rfind("\r\n", m_tail.size() - 3) + 2); }

  private:
    std::string m_start, m_tail;
};

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\')
            result += '\\';
        result += c;
    }
    return result + "\"";
}

std::vector<std::string> script(const Options& options) {
    std::vector<std::string> all = {"LOGIN " + quoted(options.user) + " " + quoted(options.password)};
    all.insert(all.end(), options.commands.begin(), options.commands.end());
    return all;
}

void report(std::size_t index, std::size_t bytes, Clock::time_point since) {
    if (index == 0) // the login
        return;
    double seconds = std::chrono::duration<double>(Clock::now() - since).count();
    std::printf("{\"bytes\":%zu,\"seconds\":%.6f}\n", bytes, seconds);
    std::fflush(stdout);
}

// ---- the blocking reader ----

int connect_to(const Options& options) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &found) != 0)
        fail("no such host");
    for (addrinfo* next = found; next; next = next->ai_next) {
        int fd = socket(next->ai_family, SOCK_STREAM, 0);
        if (fd >= 0 && connect(fd, next->ai_addr, next->ai_addrlen) == 0) {
            int on = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            freeaddrinfo(found);
            return fd;
        }
        close(fd);
    }
    fail("cannot connect");
}

void read_raw(const Options& options) {
    int fd = connect_to(options);
    SSL* ssl = nullptr;
    SSL_CTX* context = nullptr;
    if (!options.plain) {
        context = SSL_CTX_new(TLS_client_method());
        if (!options.ca_file.empty()) {
            SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr);
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        }
        ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        if (SSL_connect(ssl) != 1)
            fail("the TLS handshake failed");
    }
    std::vector<char> buffer(256 * 1024);
    auto get = [&] {
        int count = ssl ? SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()))
                        : static_cast<int>(read(fd, buffer.data(), buffer.size()));
        if (count <= 0)
            fail("the connection ended");
        return static_cast<std::size_t>(count);
    };
    auto put = [&](const std::string& text) {
        int count = ssl ? SSL_write(ssl, text.data(), static_cast<int>(text.size()))
                        : static_cast<int>(write(fd, text.data(), text.size()));
        if (count != static_cast<int>(text.size()))
            fail("the connection ended");
    };
    while (!std::memchr(buffer.data(), '\n', get())) {
    }
    std::size_t index = 0;
    for (const std::string& command : script(options)) {
        std::string tag = fmt::format("r{}", index);
        Ending ending;
        ending.begin(tag);
        Clock::time_point since = Clock::now();
        put(tag + " " + command + "\r\n");
        std::size_t bytes = 0, count;
        do {
            count = get();
            bytes += count;
        } while (!ending.over(buffer.data(), count));
        if (!ending.good())
            fail(ending.line());
        report(index++, bytes, since);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
}

// ---- the same through our own layers ----

class WireReader {
  public:
    WireReader(loop::Loop& loop, const Options& options) : m_net(loop), m_script(script(options)) {
        m_wire_options.host = options.host;
        m_wire_options.port = static_cast<std::uint16_t>(std::stoi(options.port));
        m_wire_options.security = options.plain ? net::Security::none : net::Security::implicit;
        m_wire_options.ca_file = options.ca_file;
    }

    void run() {
        loop::start(open(), [](std::optional<Error> error) {
            if (error)
                fail(error->message);
        });
    }
    bool over() const { return m_over; }

  private:
    loop::Task<void> open() {
        m_wire = co_await net::Wire::open(m_net, m_wire_options, {});
        m_ending.begin("*");
        m_wire->read_start(
            [this](std::span<const char> view) { on_bytes(view); },
            [](std::optional<Error> error) { fail(error ? error->message : "the connection ended"); });
    }

    void on_bytes(std::span<const char> view) {
        m_bytes += view.size();
        if (!m_ending.over(view.data(), view.size()))
            return;
        if (!m_ending.good())
            fail(m_ending.line());
        if (m_index >= 0)
            report(static_cast<std::size_t>(m_index), m_bytes, m_since);
        if (static_cast<std::size_t>(++m_index) == m_script.size()) {
            m_over = true;
            m_wire->close();
            return;
        }
        std::string tag = fmt::format("r{}", m_index);
        m_ending.begin(tag);
        m_bytes = 0;
        m_since = Clock::now();
        m_wire->write(std::string_view(tag + " " + m_script[static_cast<std::size_t>(m_index)] + "\r\n"));
    }

    net::Net m_net;
    net::WireOptions m_wire_options;
    std::vector<std::string> m_script;
    std::unique_ptr<net::Wire> m_wire;
    Ending m_ending;
    int m_index = -1;
    std::size_t m_bytes = 0;
    Clock::time_point m_since;
    bool m_over = false;
};

void read_through_wire(const Options& options) {
    uv_loop_t uv;
    uv_loop_init(&uv);
    // A loop whose one stream is told to wait has nothing to live for; Neovim's always has something.
    uv_async_t alive;
    uv_async_init(&uv, &alive, nullptr);
    loop::Loop loop(&uv);
    WireReader reader(loop, options);
    reader.run();
    while (!reader.over())
        uv_run(&uv, UV_RUN_ONCE);
    const loop::Budget& budget = loop.budget();
    std::fprintf(stderr, "longest turn %.3f ms, %llu of %llu turns over 2 ms\n",
                 static_cast<double>(budget.longest_ns()) / 1e6,
                 static_cast<unsigned long long>(budget.turns_over()),
                 static_cast<unsigned long long>(budget.turns()));
    std::_Exit(0); // the loop's handles need no orderly end in a tool
}

} // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv);
    if (options.wire)
        read_through_wire(options);
    else
        read_raw(options);
    return 0;
}
