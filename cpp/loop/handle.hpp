// Ownership of uv handles. uv keeps using a handle's memory until its close callback, long after the wrapper
// that made it is gone; so the memory is a box of its own that the close callback frees. Neovim closes what
// is left open at exit with no callback: such a box is left to the end of the process.
#pragma once

#include <memory>

#include <uv.h>

namespace himalaya::loop {

// The uv handle first, then whatever its callbacks need; `data` of the handle is the box.
template<class T, class State = void>
struct Box {
    T uv{};
    State state{};
};
template<class T>
struct Box<T, void> {
    T uv{};
};

namespace detail {

template<class B>
struct CloseBox {
    void operator()(B* box) const noexcept {
        auto* handle = reinterpret_cast<uv_handle_t*>(&box->uv);
        if (handle->type == UV_UNKNOWN_HANDLE) // never initialised
            delete box;
        else if (!uv_is_closing(handle))
            uv_close(handle, [](uv_handle_t* closed) { delete static_cast<B*>(closed->data); });
    }
};

} // namespace detail

// Destroying it closes the handle.
template<class T, class State = void>
using Owned = std::unique_ptr<Box<T, State>, detail::CloseBox<Box<T, State>>>;

template<class T, class State = void>
Owned<T, State> make_box() {
    Owned<T, State> box(new Box<T, State>);
    box->uv.data = box.get();
    return box;
}

// The box of a handle, inside its callbacks.
template<class T, class State>
Box<T, State>& box_of(T* handle) {
    return *static_cast<Box<T, State>*>(handle->data);
}

template<class T>
uv_handle_t* as_handle(T* handle) {
    return reinterpret_cast<uv_handle_t*>(handle);
}

// The sizes compiled in are those of the libuv that the process runs; an Error says which is not.
void check_handle_sizes();

} // namespace himalaya::loop
