#include "net/net.hpp"

#include <utility>

#include "loop/once.hpp"

namespace himalaya::net {

Net::Net(loop::Loop& loop, Resolver::Lookup lookup)
    : m_loop(loop), m_aside(std::make_shared<Aside>(loop)), m_resolver(loop, m_aside, std::move(lookup)) {}

Net::~Net() = default;

loop::Task<std::shared_ptr<TlsContext>> Net::tls(std::string ca_file, loop::CancelToken token) {
    using Context = std::shared_ptr<TlsContext>;
    std::shared_ptr<Trusted> known = m_trusted[ca_file];
    if (known && ca_file.empty())
        co_return known->context;
    // Not a Reply: one that is dropped on the thread would resume us there. Whoever waits has a token.
    auto once = std::make_shared<loop::Once<Context>>();
    // The thread makes a context only when there is none yet, or the file is another than it was.
    std::weak_ptr<bool> alive = m_alive;
    bool started = m_aside->run([this, alive, once, known, ca_file]() -> Aside::Finish {
        std::int64_t stamp = file_stamp(ca_file);
        if (known && known->stamp == stamp)
            return [once, known] { once->fulfil(known->context); };
        Result<Context> loaded = TlsContext::load(ca_file);
        return [this, alive, once, ca_file, stamp, loaded] {
            if (!loaded) {
                once->fulfil(loaded.error());
                return;
            }
            Context context = *loaded;
            if (alive.lock()) {
                // Two may have been loading: the first one stays, so that they share sessions.
                std::shared_ptr<Trusted>& place = m_trusted[ca_file];
                if (place && place->stamp == stamp)
                    context = place->context;
                else
                    place = std::make_shared<Trusted>(Trusted{context, stamp});
            }
            once->fulfil(context);
        };
    });
    if (!started)
        throw make_error(Code::busy, "Too many look-ups hang at once.", "See whether the network is up.");
    co_return co_await once->wait(token);
}

} // namespace himalaya::net
