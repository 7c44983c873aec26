// Thousands of random histories: whatever happens in whatever order, the queue's promises hold.
#include "jobs/queue.hpp"

#include "catch.hpp"

#include <map>
#include <set>

using namespace himalaya::jobs;

namespace {

struct World {
    explicit World(std::uint64_t seed)
        : chance(seed), slots(1 + static_cast<int>(seed % 4)), queue({slots, slots}, seed) {}

    std::uint64_t below(std::uint64_t n) { return chance.next() % n; }

    void step() {
        now += static_cast<Time>(below(30));
        switch (below(8)) {
        case 0:
        case 1:
        case 2: {
            Spec spec;
            spec.lane = static_cast<Lane>(below(3));
            spec.pool = below(4) ? Pool::commands : Pool::tasks;
            if (below(2))
                spec.key = std::string(1, static_cast<char>('a' + below(4)));
            spec.coalesce = below(2) != 0;
            spec.retries = static_cast<int>(below(3));
            spec.backoff = static_cast<Time>(below(40));
            spec.timeout = below(2) ? static_cast<Time>(1 + below(60)) : 0;
            spec.deadline = below(2) ? static_cast<Time>(1 + below(200)) : 0;
            specs[*queue.submit(spec, now)] = spec;
            break;
        }
        case 3:
        case 4:
        case 5:
            if (!working.empty()) {
                auto it = std::next(working.begin(), static_cast<std::ptrdiff_t>(below(working.size())));
                JobId id = *it;
                working.erase(it);
                queue.finished(id, {below(2) != 0, below(4) != 0}, now);
            }
            break;
        case 6:
            if (!specs.empty()) {
                auto it = std::next(specs.begin(), static_cast<std::ptrdiff_t>(below(specs.size())));
                bool told = endings.count(it->first) > 0;
                REQUIRE(queue.cancel(it->first, now) == !told);
            }
            break;
        default:
            below(2) ? queue.pause() : queue.resume();
        }
        obey();
    }

    void obey() {
        queue.tick(now);
        while (auto order = queue.next_order(now)) {
            switch (order->kind) {
            case Order::Kind::start:
                REQUIRE(working.insert(order->id).second);
                break;
            case Order::Kind::stop:
                REQUIRE(working.count(order->id) == 1);
                break;
            case Order::Kind::done:
                REQUIRE(endings.emplace(order->id, order->ending).second);
                break;
            case Order::Kind::gone:
                REQUIRE(endings.count(order->id) == 1);
                REQUIRE(gone.insert(order->id).second);
                REQUIRE(working.count(order->id) == 0);
                break;
            }
        }
        check();
    }

    void check() {
        std::array<int, POOLS> running{};
        std::array<int, POOLS> background{};
        std::set<std::string> keys;
        for (JobId id : working) {
            const Spec& spec = specs.at(id);
            auto pool = static_cast<std::size_t>(spec.pool);
            ++running[pool];
            background[pool] += queue.sight(id, now).lane == Lane::background;
            if (!spec.key.empty())
                REQUIRE(keys.insert(spec.key).second);
        }
        for (std::size_t pool = 0; pool < POOLS; ++pool) {
            REQUIRE(running[pool] <= slots);
            if (slots > 1)
                REQUIRE(background[pool] < slots);
        }
        REQUIRE(queue.metrics().running_now() == working.size());
        REQUIRE(queue.size() == specs.size() - endings.size());
    }

    void come_to_rest() {
        queue.resume();
        for (int i = 0; i < 10'000 && (queue.size() > 0 || !working.empty()); ++i) {
            now += 20;
            auto all = working;
            working.clear();
            for (JobId id : all)
                queue.finished(id, {true, false}, now);
            obey();
        }
        REQUIRE(queue.size() == 0);
        REQUIRE(gone.size() == specs.size());
        REQUIRE_FALSE(queue.next_due());
        for (auto n : queue.metrics().queued)
            REQUIRE(n == 0);
        std::uint64_t ended = 0;
        for (auto n : queue.metrics().ended)
            ended += n;
        REQUIRE(ended == specs.size());
    }

    Chance chance;
    int slots;
    Queue queue;
    Time now = 1;
    std::map<JobId, Spec> specs;
    std::set<JobId> working, gone;
    std::map<JobId, Ending> endings;
};

} // namespace

TEST_CASE("every history keeps every promise") {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        World world(seed);
        INFO("seed " << seed);
        for (int i = 0; i < 300; ++i)
            world.step();
        world.come_to_rest();
    }
}
