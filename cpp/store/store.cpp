#include "store/store.hpp"

#include "base/log.hpp"
#include "base/time.hpp"
#include "store/salvage.hpp"
#include "store/schema.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace himalaya::store {

using namespace std::chrono_literals;

namespace {

// A screen wants whole pages of news, not single rows; beyond this it reads its page anew.
constexpr int MOST_NEWS = 150;
// Between the moment in which a damaged file is set aside and that in which the new one is there.
constexpr std::chrono::milliseconds REPLACED_WITHIN = 2s;

bool is_damage(const Error& error) {
    return error.detail.find("damaged") != std::string::npos;
}

bool is_doubtful(const Error& error) {
    return error.detail.find("doubtful") != std::string::npos;
}

// Left beside a database that once said it was damaged: the next open looks at it closely.
std::string suspicion(const Place& place) {
    return place.database() + ".check";
}

// Files that a process was writing when it died: "arriving.PID.N" in the store's folder, "HASH.PID.new" in large/.
void sweep_unfinished(const Place& place) {
    for (const auto& folder : {place.folder, place.large()}) {
        std::error_code problem;
        for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) {
            auto name = entry.path().filename().string();
            bool arriving = name.starts_with("arriving.");
            if (!arriving && !name.ends_with(".new"))
                continue;
            auto pid = std::atoi(name.c_str() + name.find('.') + 1);
            if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH)
                std::filesystem::remove(entry.path(), problem);
        }
    }
}

} // namespace

Store::Store(loop::Loop& loop, Place place)
    : m_loop(loop), m_place(std::move(place)), m_bodies(m_place.large()), m_watch(loop, "store"),
      m_cancel(loop.token()), m_aside(loop), m_writer(loop, "mail writer"),
      m_reader(loop, "mail reader", loop::Rank::beside_the_editor), m_reader_behind(loop, "mail search"),
      m_files(loop, "mail files") {}

Store::~Store() {
    close();
}

void Store::close() {
    begin_closing();
    m_writer.stop(); // its commit is short and is waited for
    close_files();
    stop_threads();
}

void Store::close_behind() {
    if (!begin_closing())
        return;
    auto self = shared_from_this();
    m_writer.end_with([self] { self->close_files(); }, [self] { self->stop_threads(); });
}

loop::Task<> Store::closed(loop::CancelToken token) {
    auto self = shared_from_this();
    co_await m_all_closed.wait(token);
}

bool Store::begin_closing() {
    if (std::exchange(m_closed, true))
        return false;
    m_cancel.cancel();
    m_watch.stop();
    on_lead = nullptr;
    if (m_wants_lead)
        *m_wants_lead = false;
    m_last_lead = std::exchange(m_lead, std::nullopt);
    auto interrupt = [this](std::unique_ptr<Database>& database) {
        return [this, &database] {
            std::lock_guard guard(m_replacing);
            if (database)
                database->interrupt();
        };
    };
    m_reader.end(interrupt(m_reading));
    m_reader_behind.end(interrupt(m_reading_behind));
    m_files.end();
    return true;
}

void Store::close_files() {
    m_reader.join();
    m_reader_behind.join();
    m_files.join();
    m_reading.reset();
    m_reading_behind.reset();
    m_database.reset();
    m_last_lead.reset();
    if (m_changes_file >= 0)
        ::close(std::exchange(m_changes_file, -1));
}

void Store::stop_threads() {
    m_reader.stop();
    m_reader_behind.stop();
    m_files.stop();
    m_writer.stop();
    m_all_closed.open();
}

loop::Task<std::shared_ptr<Store>> Store::open(loop::Loop& loop, Place place, loop::CancelToken token) {
    auto store = std::make_shared<Store>(loop, std::move(place));
    auto opening = store->m_writer.call<void>([raw = store.get()] { raw->open_files(); }, token);
    co_await opening;
    auto watching = store->watch();
    if (!watching)
        log::warn("store", "{}: changes of other Neovims show after a while", watching.error().message);
    co_return store;
}

void Store::open_files() {
    std::error_code problem;
    std::filesystem::create_directories(m_place.folder, problem);
    if (problem)
        throw make_error(
            Code::store,
            fmt::format("the folder {} cannot be made: {}", m_place.folder.string(), problem.message()),
            "set `data_dir` to a folder you may write to");
    ::chmod(m_place.folder.c_str(), 0700);
    auto path = m_place.database();
    adopt_made_anew(path);
    if (std::filesystem::exists(suspicion(m_place), problem))
        mend([&] { return !is_sound(path); });
    auto open_all = [&] {
        m_database = std::make_unique<Database>(path, Database::Mode::write);
        set_pragmas(*m_database, Database::Mode::write);
        open_schema(*m_database);
        look_at_ops(*m_database);
        ::chmod(path.c_str(), 0600);
        for (auto* reading : {&m_reading, &m_reading_behind}) {
            *reading = std::make_unique<Database>(path, Database::Mode::read);
            set_pragmas(**reading, Database::Mode::read);
        }
        m_seq = last_seq(*m_database);
        m_last_message = last_message(*m_database);
    };
    try {
        open_all();
    } catch (const Error& error) {
        auto let_go = [this] {
            m_reading.reset();
            m_reading_behind.reset();
            m_database.reset();
        };
        let_go();
        if (!is_damage(error) && (!is_doubtful(error) || is_sound(path)))
            throw;
        mend([&] {
            try {
                open_all(); // another Neovim may have mended it while we waited for our turn
                return false;
            } catch (const Error& still) {
                let_go();
                if (!is_damage(still) && !is_doubtful(still))
                    throw;
                return true;
            }
        });
        if (!m_database)
            open_all();
    }
    m_changes_file = ::open(m_place.changes().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (m_changes_file < 0)
        throw make_error(Code::store, fmt::format("{} cannot be written", m_place.changes()),
                         "make its folder writable for you");
    sweep_unfinished(m_place);
    if (!m_noticed.empty())
        tell_others(); // who has the old file open looks for a new one
}

// One Neovim at a time: the next one finds it mended.
void Store::mend(const std::function<bool()>& is_damaged) {
    auto path = m_place.database();
    std::optional<instance::NamedLock> turn;
    while (!turn) {
        turn = instance::NamedLock::take((m_place.folder / "mending").string()).or_throw();
        if (m_writer.stopping())
            throw make_error(Code::cancelled, "the store is closed");
        if (!turn)
            std::this_thread::sleep_for(10ms);
    }
    if (is_damaged()) {
        auto salvage = set_aside(path, time::now_s());
        m_noticed =
            fmt::format("The store of this account was damaged and lies now at {}; its mail comes from the "
                        "server again, {} of your unfinished changes were kept{}.",
                        salvage.set_aside, salvage.ops,
                        salvage.lost_ops  ? fmt::format(" and {} could not be read", salvage.lost_ops)
                        : salvage.legible ? ""
                                          : " and no others could be looked for");
        log::warn("store", "{}", m_noticed);
    }
    std::error_code problem;
    std::filesystem::remove(suspicion(m_place), problem);
}

void Store::begin(std::optional<Change>& change) {
    change.emplace(*m_database);
    // Asked inside the transaction: who sets the file aside holds the same lock meanwhile.
    while (m_database->moved()) {
        change.reset();
        follow();
        change.emplace(*m_database);
    }
}

void Store::follow() {
    auto path = m_place.database();
    std::error_code problem;
    for (auto waited = 0ms; !std::filesystem::exists(path, problem) && waited < REPLACED_WITHIN;
         waited += 10ms) {
        if (m_writer.stopping())
            throw make_error(Code::cancelled, "the store is closed");
        std::this_thread::sleep_for(10ms);
    }
    auto fresh = std::make_unique<Database>(path, Database::Mode::write);
    set_pragmas(*fresh, Database::Mode::write);
    open_schema(*fresh);
    ::chmod(path.c_str(), 0600);
    go_on_from_afar(*fresh, time::now_s());
    m_database = std::move(fresh);
    log::warn("store", "{} was damaged and has been made anew; its mail comes from the server again", path);
}

Database& Store::here(std::unique_ptr<Database>& reading) {
    if (!reading->moved())
        return *reading;
    auto path = m_place.database();
    std::error_code problem;
    if (!std::filesystem::exists(path, problem))
        return *reading; // about to be there
    auto fresh = std::make_unique<Database>(path, Database::Mode::read);
    set_pragmas(*fresh, Database::Mode::read);
    {
        auto version = fresh->prepare_once("PRAGMA user_version");
        if (!version.step() || version.integer(0) != SCHEMA_VERSION)
            return *reading; // about to be whole
    }
    std::unique_ptr<Database> old;
    {
        std::lock_guard guard(m_replacing);
        old = std::exchange(reading, std::move(fresh));
    }
    if (&reading == &m_reading)
        ++m_generation;
    return *reading;
}

void Store::keep_damage_in_mind(const Error& error) {
    if (!is_damage(error))
        return;
    int file = ::open(suspicion(m_place).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0)
        ::close(file);
}

void Store::note_change(const Change& change) {
    if (change.loosened())
        m_sweep_due.store(true, std::memory_order_relaxed);
    tell_others();
}

void Store::tell_others() {
    ::futimens(m_changes_file, nullptr);
}

int Store::listen(Listener listener) {
    m_listeners.emplace(++m_last_listener, std::move(listener));
    return m_last_listener;
}

void Store::stop_listening(int listener) {
    m_listeners.erase(listener);
}

Result<void> Store::watch() {
    auto watching = m_watch.start(m_place.changes(), [this](Result<loop::FsEvent::Change> change) {
        m_watched = m_watched && change;
        look_for_news();
    });
    m_watched = bool(watching);
    return watching;
}

void Store::look() {
    if (!m_watched && !m_closed)
        (void)watch();
    look_for_news();
}

void Store::look_for_news() {
    if (m_closed)
        return;
    // One question under way and one more after it answer any number of commits.
    if (m_looking) {
        m_look_again = true;
        return;
    }
    m_looking = true;
    loop::start(read_news(), [weak = weak_from_this()](std::optional<Error> error) {
        auto self = weak.lock();
        if (!self)
            return;
        self->m_looking = false;
        if (error && error->code != Code::cancelled)
            log::warn("store", "news could not be read: {}", error->message);
        if (std::exchange(self->m_look_again, false))
            self->look_for_news();
    });
}

loop::Task<> Store::read_news() {
    auto since = m_seq;
    auto message = m_last_message;
    struct Told {
        News news;
        int generation = 0;
    };
    auto reading = read<Told>(
        [this, since, message, known = m_told_generation](Database& database) {
            Told told{{}, m_generation};
            if (told.generation == known) {
                told.news = news_since(database, since, MOST_NEWS, message);
            } else {
                // Another file: nothing in it is new mail, and no row is where a list has it.
                told.news = news_since(database, 0, 0);
                told.news.too_many = true;
            }
            return told;
        },
        m_cancel.token());
    auto [news, generation] = co_await reading;
    if (news.seq == m_seq && generation == m_told_generation)
        co_return;
    if (std::exchange(m_told_generation, generation) != generation)
        m_seen_epoch = 0; // it may count anew
    m_seq = news.seq;
    m_last_message = news.last_message;
    on_news(news);
    auto listeners = m_listeners; // one may leave while it is called
    for (const auto& [id, listener] : listeners)
        if (m_listeners.contains(id))
            listener(news);
}

} // namespace himalaya::store
