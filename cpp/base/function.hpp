// A callable that is moved and never copied. std::function wants copyable captures, and what waits in our
// queues holds tasks, buffers and unique_ptrs; std::move_only_function is C++23. Captures up to 48 bytes stay
// inside, so a completion costs no allocation.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace himalaya {

template<class Signature>
class Function;

template<class R, class... Args>
class Function<R(Args...)> {
  public:
    Function() = default;
    Function(std::nullptr_t) {}

    template<class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Function> &&
             std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>) Function(F&& callable) {
        using Held = std::decay_t<F>;
        if constexpr (fits<Held>) {
            new (m_space) Held(std::forward<F>(callable));
            m_kind = &inside<Held>;
        } else {
            *reinterpret_cast<Held**>(m_space) = new Held(std::forward<F>(callable));
            m_kind = &outside<Held>;
        }
    }

    Function(Function&& other) noexcept { take(other); }
    Function& operator=(Function&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    Function(const Function&) = delete;
    Function& operator=(const Function&) = delete;
    ~Function() { reset(); }

    explicit operator bool() const { return m_kind != nullptr; }
    R operator()(Args... args) { return m_kind->call(m_space, std::forward<Args>(args)...); }

  private:
    struct Kind {
        R (*call)(void*, Args&&...);
        void (*move)(void* from, void* to);
        void (*destroy)(void*);
    };

    static constexpr std::size_t SPACE = 48;

    template<class F>
    static constexpr bool
        fits = sizeof(F) <= SPACE &&
               alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;

    template<class F>
    static constexpr Kind inside = {[](void* space, Args&&... args) -> R {
                                        return static_cast<R>(
                                            (*static_cast<F*>(space))(std::forward<Args>(args)...));
                                    },
                                    [](void* from, void* to) {
                                        new (to) F(std::move(*static_cast<F*>(from)));
                                        static_cast<F*>(from)->~F();
                                    },
                                    [](void* space) { static_cast<F*>(space)->~F(); }};

    template<class F>
    static constexpr Kind outside = {
        [](void* space, Args&&... args) -> R {
            return static_cast<R>((**static_cast<F**>(space))(std::forward<Args>(args)...));
        },
        [](void* from, void* to) { *static_cast<F**>(to) = *static_cast<F**>(from); },
        [](void* space) { delete *static_cast<F**>(space); }};

    void take(Function& other) noexcept {
        if (other.m_kind) {
            other.m_kind->move(other.m_space, m_space);
            m_kind = std::exchange(other.m_kind, nullptr);
        }
    }

    void reset() noexcept {
        if (const Kind* kind = std::exchange(m_kind, nullptr))
            kind->destroy(m_space);
    }

    const Kind* m_kind = nullptr;
    alignas(std::max_align_t) std::byte m_space[SPACE];
};

} // namespace himalaya
