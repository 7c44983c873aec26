// A line to a server that is as slow and as broken as a test wants it.
//
//     proxy --to PORT [--to-host 127.0.0.1] [--delay MS] [--mbit N] [--certificate FILE --key FILE]
//
// Prints {"port": N} and obeys JSON lines on stdin, one JSON line out for each; ends when stdin does.
//     {"do": "set", "delay": 20, "mbit": 100}        each way; mbit is for all connections together
//     {"do": "set", "new": "refuse"}                 new connections: pass | refuse | drop (accepted, then closed) |
//                                                    silent (accepted, never answered)
//     {"do": "set", "to": PORT}                      another server, for connections from now on
//     {"do": "fault", "harm": "cut", "direction": "down", "byte": 1000, "times": 1}   or "command": 3
//                                                    harm: cut | reset | stall | swallow | none; the next `times`
//     {"do": "harm", "harm": "stall"}                connections that are open: cut | reset | stall | resume
//     {"do": "watch", "lines": [" EXISTS"], "forbid": ["IDLE"]}   keep such lines with their time (uv_hrtime, ns)
//     {"do": "report"} / {"do": "forget"}            figures of every connection since the start or the last forget
//
// Round trips are counted as: 1 for TCP, and 1 for each time the client speaks after it was spoken to. With a
// certificate TLS ends here (the server is spoken to in plain), else it passes through and lines cannot be seen.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory>
#include <utility>

#include "base/json_in.hpp"
#include "base/json_out.hpp"
#include "proxy_connection.hpp"

using namespace himalaya;
using namespace proxy;

namespace {

enum class Arrival { pass, refuse, drop, silent };

struct Proxy {
    Shared shared;
    uv_tcp_t listener;
    uv_pipe_t input;
    sockaddr_in target{};
    int port = 0;
    Arrival arrival = Arrival::pass;
    bool listening = false, closed = true;
    int accepted = 0;
    std::list<std::unique_ptr<Connection>> connections;
    std::vector<Figures> past;
    std::string pending;
    std::vector<char> room = std::vector<char>(64 << 10);
};

Proxy g; // one per process

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "proxy: %s\n", why.c_str());
    std::_Exit(1);
}

void sweep() {
    for (auto at = g.connections.begin(); at != g.connections.end();) {
        if ((*at)->gone()) {
            g.past.push_back((*at)->figures());
            at = g.connections.erase(at);
        } else {
            ++at;
        }
    }
}

void on_client(uv_stream_t* listener, int status) {
    if (status < 0)
        return;
    sweep();
    g.connections.push_back(std::make_unique<Connection>(g.shared, ++g.accepted));
    Connection& fresh = *g.connections.back();
    bool dial = g.arrival != Arrival::silent;
    fresh.open(listener, dial ? reinterpret_cast<const sockaddr*>(&g.target) : nullptr);
    if (g.arrival == Arrival::drop)
        fresh.close();
}

void listen() {
    uv_tcp_init(g.shared.loop, &g.listener);
    sockaddr_in address;
    uv_ip4_addr("127.0.0.1", g.port, &address);
    int result = uv_tcp_bind(&g.listener, reinterpret_cast<sockaddr*>(&address), 0);
    if (result == 0)
        result = uv_listen(reinterpret_cast<uv_stream_t*>(&g.listener), 128, on_client);
    if (result < 0)
        die(uv_strerror(result));
    int size = sizeof address;
    uv_tcp_getsockname(&g.listener, reinterpret_cast<sockaddr*>(&address), &size);
    g.port = ntohs(address.sin_port);
    g.listening = true;
}

void set_limits(std::optional<double> delay, std::optional<double> mbit) {
    Limits& limits = g.shared.limits;
    if (delay)
        limits.delay = static_cast<std::uint64_t>(*delay * 1e6);
    if (mbit)
        limits.bytes_per_ns = *mbit / 8 * 1e6 / 1e9;
}

// -- commands; each returns why it was refused, or nothing

std::string set(json::Value request) {
    set_limits(request["delay"].number(), request["mbit"].number());
    if (auto to = request["to"].integer())
        g.target.sin_port = htons(static_cast<std::uint16_t>(*to));
    if (auto what = request["new"].string()) {
        static const std::pair<std::string_view, Arrival> names[] = {{"pass", Arrival::pass},
                                                                     {"refuse", Arrival::refuse},
                                                                     {"drop", Arrival::drop},
                                                                     {"silent", Arrival::silent}};
        auto found =
            std::find_if(std::begin(names), std::end(names), [&](auto& pair) { return pair.first == *what; });
        if (found == std::end(names))
            return fmt::format("new: {}?", *what);
        g.arrival = found->second;
        if (g.arrival == Arrival::refuse && g.listening) {
            g.listening = g.closed = false;
            uv_close(reinterpret_cast<uv_handle_t*>(&g.listener), [](uv_handle_t*) {
                g.closed = true;
                if (g.arrival != Arrival::refuse) // changed again before the close was done
                    listen();
            });
        } else if (g.arrival != Arrival::refuse && !g.listening && g.closed) {
            listen();
        }
    }
    return {};
}

std::optional<Harm> harm_of(std::string_view name) {
    static const std::pair<std::string_view, Harm> names[] = {{"none", Harm::none},
                                                              {"cut", Harm::cut},
                                                              {"reset", Harm::reset},
                                                              {"stall", Harm::stall},
                                                              {"swallow", Harm::swallow}};
    for (auto& [known, harm] : names)
        if (known == name)
            return harm;
    return std::nullopt;
}

std::string fault(json::Value request) {
    auto harm = harm_of(request["harm"].string().value_or("none"));
    if (!harm)
        return "harm: none, cut, reset, stall or swallow";
    g.shared.fault = {*harm, request["direction"].string() == "up" ? Direction::up : Direction::down,
                      request["byte"].integer().value_or(-1), request["command"].integer().value_or(-1),
                      request["times"].integer().value_or(1)};
    return {};
}

std::string harm(json::Value request) {
    std::string_view what = request["harm"].string().value_or("cut");
    for (auto& connection : g.connections) {
        if (what == "stall" || what == "resume")
            connection->stall(what == "stall");
        else if (what == "cut" || what == "reset")
            connection->close(what == "reset");
        else
            return "harm: cut, reset, stall or resume";
    }
    return {};
}

std::string watch(json::Value request) {
    for (auto [key, list] :
         {std::pair("lines", &g.shared.watched), std::pair("forbid", &g.shared.forbidden)}) {
        list->clear();
        for (json::Value word : request[key].elements())
            list->emplace_back(word.string().value_or(""));
    }
    return {};
}

void write_lines(json::Writer& out, const char* key, const std::vector<Line>& lines) {
    out.key(key).begin_array();
    for (const Line& line : lines)
        out.begin_object()
            .member("connection", line.connection)
            .member("at", line.at)
            .member("text", line.text)
            .end_object();
    out.end_array();
}

void report(json::Writer& out) {
    sweep();
    std::vector<Figures> all = g.past;
    for (auto& connection : g.connections)
        all.push_back(connection->figures());
    std::sort(all.begin(), all.end(), [](const Figures& a, const Figures& b) { return a.id < b.id; });
    Figures sum;
    sum.round_trips = 0;
    std::int64_t open = 0;
    out.key("connections").begin_array();
    for (const Figures& one : all) {
        out.begin_object()
            .member("id", one.id)
            .member("open", one.open)
            .member("round_trips", one.round_trips);
        out.member("round_trips_to_fetch", one.round_trips_to_fetch).member("commands", one.commands);
        out.member("bytes_up", one.bytes[0]).member("bytes_down", one.bytes[1]).end_object();
        sum.round_trips += one.round_trips;
        sum.bytes[0] += one.bytes[0];
        sum.bytes[1] += one.bytes[1];
        open += one.open;
    }
    out.end_array().member("round_trips", sum.round_trips).member("bytes_up", sum.bytes[0]);
    out.member("bytes_down", sum.bytes[1]).member("open", open).member("accepted", g.accepted);
    write_lines(out, "lines", g.shared.lines);
    write_lines(out, "forbidden", g.shared.broken_rules);
}

// Figures start again from now; connections that are open count from here too.
void forget() {
    sweep();
    g.past.clear();
    g.shared.lines.clear();
    g.shared.broken_rules.clear();
    for (auto& connection : g.connections)
        connection->start_counting();
}

void obey(std::string_view line) {
    json::Writer out;
    out.begin_object();
    std::string refused;
    auto document = json::Document::parse(line);
    if (!document) {
        refused = document.error().message;
    } else {
        json::Value request = document->root();
        std::string_view what = request["do"].string().value_or("");
        if (what == "set")
            refused = set(request);
        else if (what == "fault")
            refused = fault(request);
        else if (what == "harm")
            refused = harm(request);
        else if (what == "watch")
            refused = watch(request);
        else if (what == "report")
            report(out);
        else if (what == "forget")
            forget();
        else
            refused = "do: set, fault, harm, watch, report or forget";
    }
    out.member("ok", refused.empty());
    if (!refused.empty())
        out.member("error", refused);
    out.end_object();
    std::puts(out.str().c_str());
    std::fflush(stdout);
}

void read_commands() {
    uv_pipe_init(g.shared.loop, &g.input, 0);
    if (uv_pipe_open(&g.input, 0) < 0)
        die("stdin must be a pipe");
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(&g.input),
        [](uv_handle_t*, std::size_t, uv_buf_t* buffer) {
            *buffer = uv_buf_init(g.room.data(), g.room.size());
        },
        [](uv_stream_t*, ssize_t count, const uv_buf_t* buffer) {
            if (count < 0)
                std::_Exit(0); // the test is gone; the sockets close with us
            g.pending.append(buffer->base, count);
            for (std::size_t end; (end = g.pending.find('\n')) != std::string::npos;) {
                std::string line = g.pending.substr(0, end);
                g.pending.erase(0, end + 1);
                if (!line.empty())
                    obey(line);
            }
        });
}

} // namespace

int main(int count, char** arguments) {
    std::string host = "127.0.0.1", certificate, key;
    int to = 0;
    std::optional<double> delay, mbit;
    for (int i = 1; i + 1 < count; i += 2) {
        std::string_view name = arguments[i];
        const char* value = arguments[i + 1];
        if (name == "--to")
            to = std::atoi(value);
        else if (name == "--to-host")
            host = value;
        else if (name == "--delay")
            delay = std::atof(value);
        else if (name == "--mbit")
            mbit = std::atof(value);
        else if (name == "--certificate")
            certificate = value;
        else if (name == "--key")
            key = value;
        else
            die(fmt::format("{}?", name));
    }
    if (to == 0 || uv_ip4_addr(host.c_str(), to, &g.target) != 0)
        die("--to PORT is needed");
    g.shared.loop = uv_default_loop();
    set_limits(delay, mbit);
    if (!certificate.empty()) {
        g.shared.tls = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(g.shared.tls, certificate.c_str()) != 1 ||
            SSL_CTX_use_PrivateKey_file(g.shared.tls, key.c_str(), SSL_FILETYPE_PEM) != 1)
            die("the certificate or its key cannot be read");
    }
    std::signal(SIGPIPE, SIG_IGN); // clients hang up whenever they like
    listen();
    fmt::print("{{\"port\":{}}}\n", g.port);
    std::fflush(stdout);
    read_commands();
    uv_run(g.shared.loop, UV_RUN_DEFAULT);
}
