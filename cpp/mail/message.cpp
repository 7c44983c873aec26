#include "mail/message.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace himalaya::mail {

Result<std::shared_ptr<const Mime>> Mime::load(const std::string& shared_object, const Loader& loader) {
    auto refuse = [&](std::string problem) {
        return make_error(Code::internal, std::move(problem),
                          fmt::format("Run this, then start Neovim again: {}", loader.mend));
    };
    // Local: GLib's symbols are nobody else's business in this process.
    void* library = ::dlopen(shared_object.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char* why = ::dlerror();
        return refuse(fmt::format("Messages cannot be read: {}.", why ? why : "no reason given"));
    }
    auto stamp = reinterpret_cast<const char* (*)()>(::dlsym(library, MIME_STAMP_SYMBOL));
    auto make = reinterpret_cast<Mime* (*)()>(::dlsym(library, MIME_SYMBOL));
    if (!make)
        return refuse(fmt::format("Messages cannot be read: {} is not himalaya's.", shared_object));
    // Those from before there was a stamp have none.
    std::string built = stamp ? stamp() : "unknown ones";
    if (!loader.stamp.empty() && built != loader.stamp)
        return refuse(fmt::format("Messages cannot be read: the module at {} is of other sources ({}) than "
                                  "himalaya_native.so ({}).",
                                  shared_object, built, loader.stamp));
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
