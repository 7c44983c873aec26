#include "loop/stream.hpp"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace himalaya::loop {

// What uv's callbacks see. Freed when uv has closed the handle and nothing points here any more.
struct Stream::Shared {
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    Loop* loop;
    const char* room;
    Read read;
    Function<void(Result<void>)> on_connection;
    std::uint64_t generation = 0; // of read
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    int pins = 0;        // after_poll entries that point here
    bool owned = true;   // a Stream still has it
    bool wanted = false; // read_start() and no read_stop() since
    bool closed = false;
    bool gone = false; // uv has let go

    Shared(Loop& of, const char* in) : stream{}, loop(&of), room(in) {}

    static Shared& of(void* handle) { return *static_cast<Shared*>(static_cast<uv_handle_t*>(handle)->data); }
    bool alive() const { return owned && !closed; }

    void close() {
        if (closed)
            return;
        closed = true;
        wanted = false;
        if (!uv_is_closing(as_handle(&stream)))
            uv_close(as_handle(&stream), [](uv_handle_t* handle) {
                Shared& shared = of(handle);
                shared.gone = true;
                shared.free_when_unused();
            });
    }
    void free_when_unused() {
        if (gone && pins == 0 && !owned)
            delete this;
    }

    static void on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        Shared& shared = of(handle);
        // No room this turn: an empty buffer comes back as ENOBUFS, nothing is read.
        if (!shared.alive() || shared.loop->budget().exhausted(Budget::STREAMS_NS)) {
            *buffer = uv_buf_init(nullptr, 0);
            return;
        }
        std::span<char> space = shared.loop->read_buffer();
        *buffer = uv_buf_init(space.data(), static_cast<unsigned>(space.size()));
    }

    static void on_read(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) {
        Shared& shared = of(handle);
        if (count == 0 || !shared.alive())
            return;
        if (count == UV_ENOBUFS) {
            shared.rest();
            return;
        }
        ++shared.pins;
        shared.hand_over(count, buffer->base);
        --shared.pins;
        if (shared.alive() && shared.wanted && shared.loop->budget().exhausted(Budget::STREAMS_NS))
            shared.rest();
        shared.free_when_unused();
    }

    void hand_over(ssize_t count, const char* data) {
        std::uint64_t mine = generation;
        Read fn = std::move(read);
        if (count > 0) {
            bytes_in += static_cast<std::uint64_t>(count);
            loop->enter(room, [&] { fn(std::span<const char>(data, static_cast<std::size_t>(count))); });
        } else {
            wanted = false;
            uv_read_stop(&stream);
            loop->enter(room, [&] {
                if (count == UV_EOF)
                    fn(std::span<const char>());
                else
                    fn(uv_failure(static_cast<int>(count), "Cannot read"));
            });
        }
        if (generation == mine)
            read = std::move(fn);
    }

    void rest() {
        uv_read_stop(&stream);
        ++pins;
        loop->after_poll([this] {
            --pins;
            if (alive() && wanted)
                uv_read_start(&stream, on_alloc, on_read);
            free_when_unused();
        });
    }
};

Stream::Stream(Loop& loop, const char* room, uv_handle_type type) : m_shared(new Shared(loop, room)) {
    if (type == UV_TCP)
        uv_tcp_init(loop.uv(), &m_shared->tcp);
    else
        uv_pipe_init(loop.uv(), &m_shared->pipe, 0);
    m_shared->stream.data = m_shared;
}

Stream::~Stream() {
    m_shared->owned = false;
    m_shared->close();
    m_shared->free_when_unused();
}

Result<void> Stream::read_start(Read fn) {
    if (m_shared->closed)
        return make_error(Code::offline, "The connection is closed.");
    ++m_shared->generation;
    m_shared->read = std::move(fn);
    m_shared->wanted = true;
    int status = uv_read_start(&m_shared->stream, Shared::on_alloc, Shared::on_read);
    if (status < 0 && status != UV_EALREADY) {
        m_shared->wanted = false;
        return uv_failure(status, "Cannot read");
    }
    return {};
}

void Stream::read_stop() {
    m_shared->wanted = false;
    if (!uv_is_closing(as_handle(&m_shared->stream)))
        uv_read_stop(&m_shared->stream);
}

bool Stream::reading() const {
    return m_shared->wanted;
}

void Stream::write(std::string bytes, Done done) {
    std::vector<std::string> buffers;
    buffers.push_back(std::move(bytes));
    write(std::move(buffers), std::move(done));
}

void Stream::write(std::vector<std::string> buffers, Done done) {
    struct Request {
        uv_write_t uv{};
        std::vector<std::string> buffers;
        Done done;
    };
    Shared& shared = *m_shared;
    if (shared.closed) {
        if (done)
            done(make_error(Code::offline, "The connection is closed."));
        return;
    }
    auto* request = new Request{{}, std::move(buffers), std::move(done)};
    request->uv.data = request;
    std::vector<uv_buf_t> pieces;
    pieces.reserve(request->buffers.size());
    for (std::string& buffer : request->buffers) {
        pieces.push_back(uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size())));
        shared.bytes_out += buffer.size();
    }
    int status = uv_write(&request->uv, &shared.stream, pieces.data(), static_cast<unsigned>(pieces.size()),
                          [](uv_write_t* uv, int result) {
                              std::unique_ptr<Request> ended(static_cast<Request*>(uv->data));
                              Shared& here = Shared::of(uv->handle);
                              if (!here.owned || !ended->done)
                                  return;
                              here.loop->enter(here.room, [&] {
                                  if (result < 0)
                                      ended->done(uv_failure(result, "Cannot write"));
                                  else
                                      ended->done(std::nullopt);
                              });
                          });
    if (status < 0) {
        std::unique_ptr<Request> failed(request);
        if (failed->done)
            failed->done(uv_failure(status, "Cannot write"));
    }
}

Task<void> Stream::write_all(std::string bytes, CancelToken token) {
    auto once = std::make_shared<Once<void>>();
    Done done = [reply = Reply<void>(once)](std::optional<Error> error) mutable {
        if (error)
            reply.answer(std::move(*error));
        else
            reply.answer({});
    };
    write(std::move(bytes), std::move(done));
    co_await once->wait(token);
}

std::size_t Stream::unwritten() const {
    return uv_stream_get_write_queue_size(&m_shared->stream);
}

void Stream::shutdown(Done done) {
    struct Request {
        uv_shutdown_t uv{};
        Done done;
    };
    if (m_shared->closed) {
        if (done)
            done(make_error(Code::offline, "The connection is closed."));
        return;
    }
    auto* request = new Request{{}, std::move(done)};
    request->uv.data = request;
    int status = uv_shutdown(&request->uv, &m_shared->stream, [](uv_shutdown_t* uv, int result) {
        std::unique_ptr<Request> ended(static_cast<Request*>(uv->data));
        Shared& here = Shared::of(uv->handle);
        if (!here.owned || !ended->done)
            return;
        here.loop->enter(here.room, [&] {
            if (result < 0)
                ended->done(uv_failure(result, "Cannot end the connection"));
            else
                ended->done(std::nullopt);
        });
    });
    if (status < 0) {
        std::unique_ptr<Request> failed(request);
        if (failed->done)
            failed->done(uv_failure(status, "Cannot end the connection"));
    }
}

void Stream::close() {
    m_shared->close();
}

bool Stream::closed() const {
    return m_shared->closed;
}

int Stream::fd() const {
    uv_os_fd_t fd = -1;
    return uv_fileno(as_handle(&m_shared->stream), &fd) < 0 ? -1 : fd;
}

void Stream::unref() {
    uv_unref(as_handle(&m_shared->stream));
}

std::uint64_t Stream::bytes_in() const {
    return m_shared->bytes_in;
}
std::uint64_t Stream::bytes_out() const {
    return m_shared->bytes_out;
}

uv_stream_t* Stream::uv() const {
    return &m_shared->stream;
}

void Stream::connect_to(Function<int(uv_connect_t*, uv_connect_cb)> begin, const std::string& tried,
                        Done done) {
    struct Request {
        uv_connect_t uv{};
        std::string tried;
        Done done;
    };
    if (m_shared->closed) {
        done(make_error(Code::offline, "The connection is closed."));
        return;
    }
    auto* request = new Request{{}, tried, std::move(done)};
    request->uv.data = request;
    int status = begin(&request->uv, [](uv_connect_t* uv, int result) {
        std::unique_ptr<Request> ended(static_cast<Request*>(uv->data));
        Shared& here = Shared::of(uv->handle);
        if (!here.owned)
            return;
        here.loop->enter(here.room, [&] {
            if (result < 0)
                ended->done(uv_failure(result, ended->tried));
            else
                ended->done(std::nullopt);
        });
    });
    if (status < 0) {
        std::unique_ptr<Request> failed(request);
        failed->done(uv_failure(status, tried));
    }
}

Result<void> Stream::listen_on(int backlog, Function<void(Result<void>)> fn) {
    m_shared->on_connection = std::move(fn);
    int status = uv_listen(&m_shared->stream, backlog, [](uv_stream_t* handle, int result) {
        Shared& shared = Shared::of(handle);
        if (!shared.alive())
            return;
        shared.loop->enter(shared.room, [&] {
            if (result < 0)
                shared.on_connection(uv_failure(result, "Cannot take a connection"));
            else
                shared.on_connection({});
        });
    });
    if (status < 0)
        return uv_failure(status, "Cannot listen");
    return {};
}

Tcp::Tcp(Loop& loop, const char* room) : Stream(loop, room, UV_TCP) {}

void Tcp::connect(const sockaddr* address, const std::string& name, Done done) {
    connect_to(
        [&](uv_connect_t* request, uv_connect_cb callback) {
            return uv_tcp_connect(request, &m_shared->tcp, address, callback);
        },
        "Cannot connect to " + name, std::move(done));
}

Task<void> Tcp::connect(const sockaddr* address, std::string name, CancelToken token) {
    auto once = std::make_shared<Once<void>>();
    Done done = [reply = Reply<void>(once)](std::optional<Error> error) mutable {
        if (error)
            reply.answer(std::move(*error));
        else
            reply.answer({});
    };
    connect(address, name, std::move(done));
    co_await once->wait(token);
}

Result<void> Tcp::open(int fd) {
    int status = uv_tcp_open(&m_shared->tcp, fd);
    if (status < 0)
        return uv_failure(status, "Cannot take over a socket");
    return {};
}

void Tcp::no_delay(bool on) {
    uv_tcp_nodelay(&m_shared->tcp, on ? 1 : 0);
}

void Tcp::keepalive(int idle, int interval, int count) {
    uv_tcp_keepalive(&m_shared->tcp, 1, static_cast<unsigned>(idle));
    int socket = fd();
    if (socket < 0)
        return;
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

Result<void> Tcp::listen(const sockaddr* address, Function<void(Result<void>)> on_connection) {
    int status = uv_tcp_bind(&m_shared->tcp, address, 0);
    if (status < 0)
        return uv_failure(status, "Cannot listen");
    return listen_on(128, std::move(on_connection));
}

Result<void> Tcp::accept(Tcp& client) {
    int status = uv_accept(uv(), client.uv());
    if (status < 0)
        return uv_failure(status, "Cannot take a connection");
    return {};
}

int Tcp::port() const {
    sockaddr_storage address{};
    int length = sizeof address;
    if (uv_tcp_getsockname(&m_shared->tcp, reinterpret_cast<sockaddr*>(&address), &length) < 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
    return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

Pipe::Pipe(Loop& loop, const char* room) : Stream(loop, room, UV_NAMED_PIPE) {}

void Pipe::connect(const std::string& path, Done done) {
    connect_to(
        [&](uv_connect_t* request, uv_connect_cb callback) {
            uv_pipe_connect(request, &m_shared->pipe, path.c_str(), callback);
            return 0;
        },
        "Cannot connect to " + path, std::move(done));
}

Result<void> Pipe::open(int fd) {
    int status = uv_pipe_open(&m_shared->pipe, fd);
    if (status < 0)
        return uv_failure(status, "Cannot take over a pipe");
    return {};
}

Result<void> Pipe::listen(const std::string& path, Function<void(Result<void>)> on_connection) {
    int status = uv_pipe_bind(&m_shared->pipe, path.c_str());
    if (status < 0)
        return uv_failure(status, "Cannot listen at " + path);
    return listen_on(128, std::move(on_connection));
}

Result<void> Pipe::accept(Pipe& client) {
    int status = uv_accept(uv(), client.uv());
    if (status < 0)
        return uv_failure(status, "Cannot take a connection");
    return {};
}

} // namespace himalaya::loop
