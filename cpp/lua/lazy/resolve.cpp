// Libraries that are loaded when first called. OpenSSL, SQLite and the others are two of the four milliseconds that
// loading the module took, and an editor that never opens mail should not pay for them. The linker is given
// trampolines with the functions' names (scripts/lazy_libraries writes them): each jumps through a slot, which at
// first leads here and then to the function itself. The first calls come from worker threads (the store's, the one
// that loads certificates), so the editor's thread does not wait for the loader either.
#include <cstdint>
#include <dlfcn.h>

#include <string>

#include "base/error.hpp"

#define HIDDEN extern "C" __attribute__((visibility("hidden")))

// Tables of the generated assembly: offsets of names from the table's start, the library of each function, the
// libraries' files, and where the trampolines jump to.
HIDDEN const std::int32_t himalaya_lazy_names[];
HIDDEN const std::uint8_t himalaya_lazy_library[];
HIDDEN const std::int32_t himalaya_lazy_files[];
HIDDEN void* himalaya_lazy_slots[];

namespace {

const char* name_at(const std::int32_t* table, std::size_t index) {
    return reinterpret_cast<const char*>(table) + table[index];
}

thread_local const char* g_missing = nullptr;

// Called in place of a function that is not there, with that function's caller below it.
[[noreturn]] void throw_missing() {
    throw himalaya::make_error(himalaya::Code::config,
                               std::string("The library ") + g_missing + " cannot be loaded any more.",
                               "Run ./scripts/build in the plugin's folder, then start Neovim again.");
}

} // namespace

HIDDEN void* himalaya_lazy_resolve(std::size_t index) noexcept {
    const char* file = name_at(himalaya_lazy_files, himalaya_lazy_library[index]);
    // The loader counts and keeps: loading again gives the same library. None is ever unloaded.
    void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    void* function = library ? dlsym(library, name_at(himalaya_lazy_names, index)) : nullptr;
    if (!function) {
        g_missing = file;
        return reinterpret_cast<void*>(&throw_missing);
    }
    __atomic_store_n(&himalaya_lazy_slots[index], function, __ATOMIC_RELEASE);
    return function;
}
