// One byte stream to a server: TCP, with TLS and DEFLATE under way as they are switched on. Everything it
// does with bytes (decrypting, inflating, handing them to the reader) is done in slices of at most 16 KiB
// under the loop's budget: when the turn's 2 ms are spent it stops reading and goes on after the editor had
// its turn.
//
//   auto wire = co_await Wire::open(net, options, token);    // resolved, connected, TLS up when implicit
//   wire->read_start(on_bytes, on_end);
//   wire->write("a1 STARTTLS\r\n"); ...                      // the OK came:
//   co_await wire->start_tls(token);                         // drops whatever the wire held before TLS; the
//   reader
//                                                            // drops what it holds itself
//   wire->start_deflate(rest);                               // right after the tagged OK to COMPRESS DEFLATE
//
// The reader is called on the loop's thread, never from inside one of the calls above, with a view that is
// good for that call only. It may call anything here, and may destroy the Wire.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/function.hpp"
#include "loop/cancel.hpp"
#include "loop/loop.hpp"
#include "loop/task.hpp"
#include "net/bandwidth.hpp"

namespace himalaya::net {

class Net;

enum class Security { implicit, starttls, none };

struct WireOptions {
    std::string host;
    std::uint16_t port = 993;
    Security security = Security::implicit;
    std::string ca_file;                  // "": the system's certificates
    std::uint64_t timeout_ms = 30'000;    // for name, connect and handshake together
    std::shared_ptr<Bandwidth> bandwidth; // shared by an account's connections; null: no limit
};

struct WireStats {
    std::uint64_t bytes_in = 0; // as they went over the network: encrypted, compressed
    std::uint64_t bytes_out = 0;
    std::uint64_t round_trips = 0; // writes that had to wait for a reply: a write after something was read
    std::uint64_t discarded = 0;   // bytes that came in the clear before TLS and were thrown away
};

class Wire {
  public:
    using OnBytes = Function<void(std::span<const char>)>;
    // No error: the server closed its side.
    using OnEnd = Function<void(std::optional<Error>)>;

    static loop::Task<std::unique_ptr<Wire>> open(Net& net, WireOptions options, loop::CancelToken token);
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire(); // closes at once, calls nobody

    // May be called again, with other functions. on_end is called once at most, also while reading is stopped.
    void read_start(OnBytes on_bytes, OnEnd on_end);
    void read_resume();
    // Holds from the next byte on, also from inside on_bytes: what is already here waits for read_resume().
    void read_stop();

    enum class Wipe { no, yes }; // yes: the text is a secret, no copy of it stays behind
    void write(std::string_view text, Wipe wipe = Wipe::no);
    // Takes a large text over instead of copying it: a literal of an APPEND.
    void write(std::string text);
    // The same for one that others hold too.
    void write(std::shared_ptr<const std::string> text);
    void write(const char* text) { write(std::string_view(text)); }
    // Bytes that were written here and are not with the kernel yet.
    std::size_t unsent() const;
    // The same and those that the other side has not acknowledged, where the system tells of them.
    std::size_t unheard() const;
    // Resumes when at most `most` bytes are unsent; throws when the connection is lost first.
    loop::Task<void> drained(std::size_t most, loop::CancelToken token);

    loop::Task<void> start_tls(loop::CancelToken token);
    // `behind`: what the reader was given behind the line of the OK; it is compressed already.
    void start_deflate(std::span<const char> behind = {});

    bool encrypted() const;
    bool compressed() const;
    bool resumed() const; // the TLS session was an earlier one
    std::string tls_version() const;
    std::string exporter_binding() const; // for SASL, "" when there is none
    std::string end_point_binding() const;
    std::string peer_address() const; // "192.0.2.1"
    const WireStats& stats() const;

    // Says goodbye when it can and closes; calls nobody afterwards.
    void close();

  private:
    class Impl;
    explicit Wire(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> m_impl;
};

} // namespace himalaya::net
