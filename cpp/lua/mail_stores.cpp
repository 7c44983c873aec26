// native.mail: what lies in the data folder, for :checkhealth.
#include "lua/mail_home.hpp"
#include "store/overview.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace himalaya::lua {

namespace {

constexpr std::chrono::seconds PATIENCE(1);

struct Looking {
    std::mutex lock;
    std::condition_variable over;
    std::optional<std::vector<store::StoreSeen>> found;
};

// stores(data_dir) -> { { name, bytes, pending? }, ... }; nil when the disk takes its time. A report is written in one
// go, so its writer waits for the thread that looks, a moment at most.
int stores(lua_State* L, Runtime& runtime) {
    std::filesystem::path folder(check_string(L, 1, "data_dir"));
    auto looking = std::make_shared<Looking>();
    net::Aside aside(runtime.loop());
    bool looks = aside.run([looking, folder]() -> net::Aside::Finish {
        auto found = store::stores_in(folder);
        std::lock_guard guard(looking->lock);
        looking->found = std::move(found);
        looking->over.notify_all();
        return [] {};
    });
    std::unique_lock guard(looking->lock);
    if (looks)
        looking->over.wait_for(guard, PATIENCE, [&] { return looking->found.has_value(); });
    if (!looking->found) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, static_cast<int>(looking->found->size()), 0);
    int at = 0;
    for (const auto& each : *looking->found) {
        lua_createtable(L, 0, 3);
        set(L, "name", each.name);
        set(L, "bytes", each.bytes);
        if (each.pending)
            set(L, "pending", *each.pending);
        lua_rawseti(L, -2, ++at);
    }
    return 1;
}

} // namespace

void add_mail_stores(lua_State* L) {
    set_function<stores>(L, "stores");
}

} // namespace himalaya::lua
