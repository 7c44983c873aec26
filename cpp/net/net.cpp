#include "net/net.hpp"

#include <utility>

namespace himalaya::net {

Net::Net(loop::Loop& loop, Resolver::Lookup lookup)
    : m_loop(loop), m_aside(std::make_shared<Aside>(loop)), m_resolver(loop, m_aside, std::move(lookup)) {}

Net::~Net() = default;

std::shared_ptr<Net::Loading> Net::load(const std::string& ca_file) {
    if (auto under_way = m_loading.find(ca_file); under_way != m_loading.end())
        return under_way->second;
    auto loading = std::make_shared<Loading>();
    std::shared_ptr<Trusted> known = m_trusted[ca_file];
    // The thread makes a context only when there is none yet, or the file is another than it was.
    std::weak_ptr<bool> alive = m_alive;
    bool started = m_aside->run([this, alive, loading, known, ca_file]() -> Aside::Finish {
        std::int64_t stamp = file_stamp(ca_file);
        Result<std::shared_ptr<TlsContext>> loaded =
            known && known->stamp == stamp ? known->context : TlsContext::load(ca_file);
        return [this, alive, loading, ca_file, stamp, loaded] {
            if (alive.expired())
                return; // whoever waits has a token
            m_loading.erase(ca_file);
            if (loaded)
                m_trusted[ca_file] = std::make_shared<Trusted>(Trusted{*loaded, stamp});
            m_has_crypto = true;
            loading->result = loaded;
            loading->over.open();
        };
    });
    if (!started)
        return nullptr;
    m_loading[ca_file] = loading;
    return loading;
}

loop::Task<std::shared_ptr<TlsContext>> Net::tls(std::string ca_file, loop::CancelToken token) {
    std::shared_ptr<Trusted> known = m_trusted[ca_file];
    if (known && ca_file.empty())
        co_return known->context;
    std::shared_ptr<Loading> loading = load(ca_file);
    if (!loading)
        throw make_error(Code::busy, "Too many look-ups hang at once.", "See whether the network is up.");
    co_await loading->over.wait(token);
    co_return Result(*loading->result).or_throw();
}

void Net::expect_tls(const std::string& ca_file) {
    if (!m_trusted[ca_file])
        load(ca_file);
}

loop::Task<void> Net::crypto(loop::CancelToken token) {
    if (m_has_crypto)
        co_return;
    auto over = std::make_shared<loop::Gate>();
    std::weak_ptr<bool> alive = m_alive;
    bool started = m_aside->run([this, alive, over]() -> Aside::Finish {
        load_crypto();
        return [this, alive, over] {
            if (alive.expired())
                return;
            m_has_crypto = true;
            over->open();
        };
    });
    if (started)
        co_await over->wait(token);
}

} // namespace himalaya::net
