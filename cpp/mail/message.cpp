#include "mail/message.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace himalaya::mail {

Result<std::shared_ptr<const Mime>> Mime::load(const std::string& shared_object) {
    // Local: GLib's symbols are nobody else's business in this process.
    void* library = ::dlopen(shared_object.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char* why = ::dlerror();
        return make_error(Code::internal,
                          fmt::format("messages cannot be read: {}", why ? why : "no reason given"),
                          "run ./scripts/build in the plugin's folder");
    }
    auto make = reinterpret_cast<Mime* (*)()>(::dlsym(library, MIME_SYMBOL));
    if (!make)
        return make_error(Code::internal, fmt::format("{} is not himalaya's", shared_object),
                          "run ./scripts/build in the plugin's folder");
    // Never closed again: GLib does not survive it.
    return std::shared_ptr<const Mime>(make());
}

Message Mime::read(std::string_view bytes) const {
    Message message;
    if (!read_into(bytes, message))
        throw make_error(Code::internal, "the message could not be read: there was not enough memory");
    return message;
}

} // namespace himalaya::mail
