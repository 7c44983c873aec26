// native.versions(): the libraries as this process got them, not as they were when the module was built, because
// that is what a bug report needs.
#include "lua/areas.hpp"
#include "lua/runtime.hpp"
#include "store/version.hpp"

#include <openssl/crypto.h>
#include <uv/version.h>
#include <zlib.h>
#include <zstd.h>

#define HIMALAYA_TEXT_OF(x) #x
#define HIMALAYA_TEXT(x) HIMALAYA_TEXT_OF(x)

namespace himalaya::lua {

namespace {

// versions() -> { name = version }
int versions(lua_State* L, Runtime&) {
    lua_newtable(L);
    set(L, "OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
    set(L, "SQLite", store::sqlite_version());
    set(L, "zlib", zlibVersion());
    set(L, "zstd", ZSTD_versionString());
    // The host's own is vim.uv.version_string(); these are the headers it was compiled against.
    set(L, "libuv's headers",
        HIMALAYA_TEXT(UV_VERSION_MAJOR) "." HIMALAYA_TEXT(UV_VERSION_MINOR) "." HIMALAYA_TEXT(
            UV_VERSION_PATCH));
    return 1;
}

} // namespace

void open_versions(lua_State* L, Runtime&) {
    set_function<versions>(L, "versions");
}

} // namespace himalaya::lua
