#include "lua/operations.hpp"

#include <utility>

namespace himalaya::lua {

struct Operations::Operation {
    explicit Operation(const loop::CancelToken& parent) : cancel(parent) {}
    loop::CancelSource cancel;
    Ref callback;
};

loop::Task<> Operations::carry_out(std::shared_ptr<Operation> operation, Work work) {
    auto task = work(operation->cancel.token());
    auto result = co_await task;
    m_runtime.events().complete(std::move(operation->callback), std::move(result));
}

int Operations::run(lua_State* L, Ref callback, const loop::CancelToken& parent, Work work) {
    auto operation = std::make_shared<Operation>(parent);
    operation->callback = std::move(callback);
    auto id = ++m_last;
    m_operations.emplace(id, operation);
    loop::start(carry_out(operation, std::move(work)), [this, id, operation](std::optional<Error> error) {
        m_operations.erase(id);
        if (error && operation->callback)
            m_runtime.events().fail(std::move(operation->callback), std::move(*error));
    });
    lua_pushnumber(L, static_cast<double>(id));
    return 1;
}

bool Operations::cancel(std::uint64_t id) {
    auto found = m_operations.find(id);
    if (found == m_operations.end() || found->second->cancel.cancelled())
        return false;
    auto operation = found->second;
    operation->cancel.cancel();
    return true;
}

} // namespace himalaya::lua
