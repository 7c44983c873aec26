// Byte streams: TCP and unix pipes. Reading shares the budget: when it is used up a stream stops inside its
// callback (libuv would go on for up to 32 reads) and is heard again after the editor had its turn. The bytes
// given to a reader are gone when it returns.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "loop/loop.hpp"
#include "loop/once.hpp"

struct sockaddr;

namespace himalaya::loop {

using Read = Function<void(Result<std::span<const char>>)>;
using Done = Function<void(std::optional<Error>)>;

class Stream {
  public:
    virtual ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // fn gets what arrives; an empty span is the end, an error is the end too. Starting again replaces fn.
    // fn may stop, close or destroy the stream.
    Result<void> read_start(Read fn);
    // Backpressure: what the kernel holds waits. read_start() goes on.
    void read_stop();
    bool reading() const;

    // Written in order. done gets an Error when it could not be, Code::cancelled when close() came first; it
    // is dropped when the stream is destroyed before.
    void write(std::string bytes, Done done = {});
    void write(std::vector<std::string> buffers, Done done = {});
    // In a task: until the kernel has it. On cancel the bytes are still sent, only the wait ends.
    Task<void> write_all(std::string bytes, CancelToken token);
    // Written but not yet taken by the kernel.
    std::size_t unwritten() const;
    // No more will be written: the other side reads the end.
    void shutdown(Done done = {});

    // Nothing is read any more, writes under way end with Code::cancelled. Idempotent.
    void close();
    bool closed() const;
    // The file descriptor, or -1.
    int fd() const;
    void unref();

    std::uint64_t bytes_in() const;
    std::uint64_t bytes_out() const;

  protected:
    struct Shared;
    Stream(Loop& loop, const char* room, uv_handle_type type);
    uv_stream_t* uv() const;
    void connect_to(Function<int(uv_connect_t*, uv_connect_cb)> begin, const std::string& tried, Done done);
    Result<void> listen_on(int backlog, Function<void(Result<void>)> fn);

    Shared* m_shared;
};

class Tcp : public Stream {
  public:
    explicit Tcp(Loop& loop, const char* room = "loop");

    // `name` is what error messages call the other side.
    void connect(const sockaddr* address, const std::string& name, Done done);
    Task<void> connect(const sockaddr* address, std::string name, CancelToken token);
    // A socket made by somebody else; ours from now on.
    Result<void> open(int fd);
    void no_delay(bool on);
    // TCP keepalive: the first probe after `idle` seconds, then every `interval`, given up after `count`.
    void keepalive(int idle, int interval, int count);

    // Serving on one address (127.0.0.1:0 picks a port).
    Result<void> listen(const sockaddr* address, Function<void(Result<void>)> on_connection);
    Result<void> accept(Tcp& client);
    int port() const;
};

class Pipe : public Stream {
  public:
    explicit Pipe(Loop& loop, const char* room = "loop");

    void connect(const std::string& path, Done done);
    Result<void> open(int fd);
    Result<void> listen(const std::string& path, Function<void(Result<void>)> on_connection);
    Result<void> accept(Pipe& client);

  private:
    friend class Process;
};

} // namespace himalaya::loop
