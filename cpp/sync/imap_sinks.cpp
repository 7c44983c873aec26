#include "sync/imap_sinks.hpp"

#include "mail/flags.hpp"

#include <utility>

namespace himalaya::sync {

namespace {

mail::Flags flags_of(imap::Seq<imap::Text> names) {
    mail::Flags flags;
    for (auto name : names)
        mail::add_imap_flag(flags, name);
    return flags;
}

// "<a@x> junk <b@y>" -> "<a@x>", "<b@y>".
std::vector<std::string> ids_in(std::string_view text) {
    std::vector<std::string> ids;
    for (;;) {
        auto begin = text.find('<');
        auto end = begin == std::string_view::npos ? begin : text.find('>', begin);
        if (end == std::string_view::npos)
            return ids;
        ids.emplace_back(text.substr(begin, end - begin + 1));
        text.remove_prefix(end + 1);
    }
}

std::string addr_of(const imap::Address& address) {
    std::string addr(address.mailbox);
    if (!imap::is_nil(address.host)) {
        addr += '@';
        addr += address.host;
    }
    return addr;
}

} // namespace

store::FlagNews news_of(const imap::Fetch& message) {
    auto flags = flags_of(message.flags);
    return {message.uid.value_or(0), flags.bits, std::move(flags.keywords)};
}

store::Arrival arrival_of(const imap::Fetch& message) {
    store::Arrival arrival;
    arrival.uid = message.uid.value_or(0);
    arrival.arrived = message.internal_date.epoch.value_or(0);
    arrival.size = static_cast<std::int64_t>(message.size.value_or(0));
    auto flags = flags_of(message.flags);
    arrival.flags = flags.bits;
    arrival.keywords = std::move(flags.keywords);
    static const imap::Envelope unread{};
    const auto& envelope = message.envelope ? *message.envelope : unread;
    arrival.date = envelope.date;
    arrival.subject = envelope.subject;
    const auto& from = envelope.from.empty() ? envelope.sender : envelope.from;
    if (!from.empty())
        arrival.from = {std::string(from.front().name), addr_of(from.front())};
    for (auto list : {envelope.to, envelope.cc})
        for (const auto& address : list)
            if (!imap::is_nil(address.mailbox) && !imap::is_nil(address.host) && arrival.to.size() < 100)
                arrival.to.push_back({std::string(address.name), addr_of(address)});
    arrival.message_id = envelope.message_id;
    auto parents = ids_in(envelope.in_reply_to);
    if (!parents.empty())
        arrival.in_reply_to = std::move(parents.front());
    for (const auto& section : message.sections)
        if (!section.name.empty() && !imap::is_nil(section.data))
            arrival.references = ids_in(section.data);
    return arrival;
}

void LargeTextFetch::start(const imap::LiteralStart& start) {
    m_whole = false;
    m_texts.on_large_begin(static_cast<std::int64_t>(start.size));
}

void LargeTextFetch::bytes(std::span<const char> bytes) {
    m_texts.on_large_piece(m_flow, {bytes.data(), bytes.size()});
}

void BodyFetch::on_message(imap::Session&, const imap::Fetch& message) {
    if (!message.uid)
        return;
    for (const auto& section : message.sections) {
        if (!section.name.empty())
            continue;
        if (section.streamed)
            end_large(*message.uid);
        else if (!imap::is_nil(section.data))
            m_sink.on_body(m_flow, *message.uid, section.data);
    }
}

void LetterFetch::on_message(imap::Session&, const imap::Fetch& message) {
    if (!message.uid || !(message.envelope || message.size))
        return; // news about flags
    std::optional<std::string_view> bytes;
    bool streamed = false;
    for (const auto& section : message.sections)
        if (section.name.empty()) {
            streamed = section.streamed;
            if (!streamed && !imap::is_nil(section.data))
                bytes = section.data;
        }
    m_sink.on_letter(m_flow, arrival_of(message), bytes);
    if (streamed)
        end_large(*message.uid);
}

} // namespace himalaya::sync
