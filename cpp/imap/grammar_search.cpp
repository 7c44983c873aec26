// SEARCH, SORT, ESEARCH, THREAD and VANISHED: numbers by the thousand, so they are kept as the ranges they
// came in.
#include <array>

#include "imap/grammar.hpp"
#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

// (MODSEQ 12)
bool read_search_modseq(Scanner& in, std::optional<uint64_t>& modseq) {
    in.advance(1);
    if (!same_word(in.word(), "MODSEQ"))
        return in.fail("expected MODSEQ");
    return in.space() && in.number_or_minus_one(modseq) && in.expect(')', "expected `)`");
}

// (TAG "A1" ...)
bool read_correlator(Scanner& in, Text& tag) {
    in.advance(1);
    for (;;) {
        in.spaces();
        if (in.eat(')'))
            return true;
        const Text name = in.word();
        if (name.empty())
            return in.fail("expected TAG");
        if (!in.space())
            return false;
        Text skipped;
        if (same_word(name, "TAG") ? !in.astring(tag) : !in.raw(skipped))
            return false;
    }
}

// (1:10 1,5,7) or (1:10 NIL)
bool read_partial(Scanner& in, Esearch& result) {
    if (!in.expect('(', "expected a list"))
        return false;
    result.partial_window = in.word();
    result.has_partial = true;
    if (result.partial_window.empty())
        return in.fail("expected a range");
    if (!in.space())
        return false;
    return (in.eat_nil() || in.set(result.partial)) && in.expect(')', "expected `)`");
}

template<class T>
bool read_number(Scanner& in, std::optional<T>& value) {
    T read{};
    if (!in.number(read))
        return false;
    value = read;
    return true;
}

constexpr size_t thread_nesting = 1000; // each branch is a parenthesis deeper; no recursion here

} // namespace

bool read_search(Scanner& in, SearchResult& result) {
    ListBuilder<uint32_t> found(in.arena());
    for (;;) {
        in.spaces();
        if (in.at_end())
            break;
        if (in.peek() == '(') {
            if (!read_search_modseq(in, result.modseq))
                return false;
            continue;
        }
        uint32_t number = 0;
        if (!in.number(number) || !in.add(found, number))
            return false;
        if (!in.at_end() && in.peek() != ' ')
            return in.fail("expected a space");
    }
    result.numbers = found.list();
    return true;
}

bool read_esearch(Scanner& in, Esearch& result) {
    in.spaces();
    if (in.peek() == '(' && !in.at_end() && !read_correlator(in, result.tag))
        return false;
    for (;;) {
        in.spaces();
        if (in.at_end())
            return true; // quirk::esearch_without_all
        const Text name = in.word();
        if (name.empty())
            return in.fail("expected the name of a result");
        if (same_word(name, "UID")) {
            result.uid = true;
            continue;
        }
        if (!in.space())
            return false;
        bool good = false;
        if (same_word(name, "ALL")) {
            result.has_all = true;
            good = in.set(result.all);
        } else if (same_word(name, "MIN")) {
            good = read_number(in, result.min);
        } else if (same_word(name, "MAX")) {
            good = read_number(in, result.max);
        } else if (same_word(name, "COUNT")) {
            good = read_number(in, result.count);
        } else if (same_word(name, "MODSEQ")) {
            good = in.number_or_minus_one(result.modseq);
        } else if (same_word(name, "PARTIAL")) {
            good = read_partial(in, result);
        } else {
            Text skipped;
            good = in.raw(skipped);
        }
        if (!good)
            return false;
    }
}

bool read_thread(Scanner& in, ThreadResult& result) {
    ListBuilder<ThreadResult::Node> found(in.arena());
    size_t level = 0;
    uint32_t depth = 0;
    bool empty = false;                          // nothing yet in the innermost parenthesis
    std::array<uint32_t, thread_nesting> depths; // written before read
    for (;;) {
        in.spaces();
        if (in.at_end())
            break;
        if (in.eat('(')) {
            if (level == thread_nesting)
                return in.fail("the lists are nested deeper than allowed");
            if (level > 0 && empty) { // ((1)(2)): their parent is missing
                if (!in.add(found, {0, depth}))
                    return false;
                depth++;
            }
            depths[level++] = depth;
            empty = true;
        } else if (in.eat(')')) {
            if (level == 0)
                return in.fail("`)` without `(`");
            depth = depths[--level];
            empty = false;
        } else {
            uint32_t number = 0;
            if (level == 0)
                return in.fail("expected `(`");
            if (!in.number(number) || !in.add(found, {number, depth}))
                return false;
            depth++;
            empty = false;
        }
    }
    if (level > 0)
        return in.fail("expected `)`");
    result.nodes = found.list();
    return true;
}

bool read_vanished(Scanner& in, Vanished& result) {
    if (in.eat('(')) {
        if (!same_word(in.word(), "EARLIER"))
            return in.fail("expected EARLIER");
        if (!in.expect(')', "expected `)`") || !in.space())
            return false;
        result.earlier = true;
    }
    return in.set(result.uids) && in.finish();
}

} // namespace himalaya::imap
