#include "sync/summary.hpp"

#include "base/json_in.hpp"
#include "base/json_out.hpp"

#include <algorithm>

namespace himalaya::sync {

namespace {

void put(json::Writer& out, const char* name, const std::vector<std::string>& list) {
    out.key(name).begin_array();
    for (const auto& each : list)
        out.value(each);
    out.end_array();
}

std::vector<std::string> strings(const json::Value& list) {
    std::vector<std::string> found;
    for (const auto& each : list.elements())
        if (auto text = each.string())
            found.emplace_back(*text);
    return found;
}

std::string text_of(const json::Value& value) {
    return std::string(value.string().value_or(""));
}

} // namespace

std::string to_json(const Summary& summary) {
    json::Writer out;
    out.begin_object();
    for (const auto& figure : FIGURES)
        out.member(figure.name, summary.*figure.value);
    put(out, "refused", summary.refused);
    put(out, "withheld", summary.withheld);
    out.key("came").begin_array();
    for (const auto& came : summary.came) {
        out.begin_object().member("folder", came.folder).key("ids").begin_array();
        for (auto id : came.ids)
            out.value(id);
        out.end_array().end_object();
    }
    out.end_array().end_object();
    return std::move(out).str();
}

std::string to_json(const Error& error) {
    json::Writer out;
    out.begin_object().key("error").begin_object();
    out.member("code", name_of(error.code)).member("message", error.message).member("hint", error.hint);
    out.member("retryable", error.retryable);
    out.end_object().end_object();
    return std::move(out).str();
}

Result<Summary> summary_of(std::string_view text) {
    auto parsed = json::Document::parse(text);
    if (!parsed)
        return parsed.error();
    auto root = parsed->root();
    if (auto error = root["error"]; error.exists()) {
        Error told = make_error(code_of(text_of(error["code"])).value_or(Code::internal),
                                text_of(error["message"]), text_of(error["hint"]));
        told.retryable = error["retryable"].boolean().value_or(told.retryable);
        return told;
    }
    Summary summary;
    for (const auto& figure : FIGURES)
        summary.*figure.value = root[figure.name].integer().value_or(0);
    summary.refused = strings(root["refused"]);
    summary.withheld = strings(root["withheld"]);
    for (const auto& each : root["came"].elements()) {
        Came came{text_of(each["folder"]), {}};
        for (const auto& id : each["ids"].elements())
            if (auto number = id.integer())
                came.ids.push_back(*number);
        summary.came.push_back(std::move(came));
    }
    return summary;
}

void Counts::add(const Summary& done) {
    ++cycles;
    for (const auto& figure : FIGURES)
        sum.*figure.value += done.*figure.value;
    durations_ms.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, done.duration_ms)));
}

void Counts::add(const Summary& before, const Error& failure) {
    for (const auto& figure : FIGURES)
        sum.*figure.value += before.*figure.value;
    if (failure.code == Code::cancelled)
        ++cancelled;
    else
        ++failures[std::string(name_of(failure.code))];
}

void Counts::add(const Counts& other) {
    cycles += other.cycles;
    cancelled += other.cancelled;
    asked += other.asked;
    served += other.served;
    for (const auto& [code, times] : other.failures)
        failures[code] += times;
    for (const auto& figure : FIGURES)
        sum.*figure.value += other.sum.*figure.value;
    durations_ms.add(other.durations_ms);
}

} // namespace himalaya::sync
