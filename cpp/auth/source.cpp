#include "auth/source.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "loop/once.hpp"
#include "loop/process.hpp"
#include "loop/timer.hpp"

namespace himalaya::auth {

namespace {

constexpr std::size_t LONGEST_SECRET = 64 * 1024;
constexpr std::size_t LONGEST_OUTPUT = 16 * 1024 * 1024; // of which all behind the first line is dropped
constexpr std::size_t LONGEST_COMPLAINT = 200;

std::string owned(const SecretSource& source) {
    return source.owner.empty() ? source.purpose : fmt::format("{} of {}", source.purpose, source.owner);
}

// One run of the command. Kept alive by its callbacks' owner, the coroutine below.
class Run {
  public:
    Run(loop::Loop& loop, const SecretSource& source)
        : m_loop(loop), m_source(source), m_process(loop, "auth"), m_stdout(loop, "auth"),
          m_stderr(loop, "auth") {}
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    // Whoever stops waiting stops the command too, and whatever it started.
    ~Run() {
        if (m_process.running()) {
            m_process.kill(SIGTERM);
            m_process.kill(SIGKILL);
        }
    }

    void begin(const std::vector<std::string>& hidden) {
        loop::Process::Options options;
        options.argv = m_source.command;
        options.stdout_pipe = &m_stdout;
        options.stderr_pipe = &m_stderr;
        options.env = loop::environment();
        std::erase_if(*options.env, [&](const std::string& entry) {
            return std::any_of(hidden.begin(), hidden.end(), [&](const std::string& name) {
                return entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name);
            });
        });
        Result<void> spawned = m_process.spawn(options, [this](loop::Process::Exit exit) {
            m_exit = exit;
            // After the next poll: its last words may not have been read yet, and somebody else may hold stderr open
            // for ever.
            m_loop.defer([this, alive = std::weak_ptr(m_alive)] {
                if (alive.expired())
                    return;
                m_heard = true;
                finish();
            });
        });
        if (!spawned) {
            Error error = spawned.error();
            if (error.code == Code::not_found || error.code == Code::invalid)
                error = make_error(Code::config,
                                   fmt::format("The command for the {} cannot be started: {}",
                                               owned(m_source), error.message),
                                   "See imap.auth.command.");
            m_done.fulfil(std::move(error));
            return;
        }
        (void)m_stdout.read_start([this](Result<std::span<const char>> bytes) { on_stdout(bytes); });
        (void)m_stderr.read_start([this](Result<std::span<const char>> bytes) {
            if (bytes && !bytes->empty() && m_complaint.size() < LONGEST_COMPLAINT)
                m_complaint.append(bytes->data(), std::min(bytes->size(), LONGEST_COMPLAINT));
        });
    }

    loop::Once<Secret>& done() { return m_done; }

  private:
    void on_stdout(const Result<std::span<const char>>& bytes) {
        if (!bytes || bytes->empty()) {
            m_output_over = true;
            finish();
            return;
        }
        std::string_view text(bytes->data(), bytes->size());
        if (!m_line_over) {
            std::size_t end = text.find('\n');
            m_line_over = end != std::string_view::npos;
            m_line.append(text.substr(0, end));
        }
        m_output += text.size();
        // The loop's read buffer held it too.
        OPENSSL_cleanse(const_cast<char*>(bytes->data()), bytes->size());
        if (m_line.size() > LONGEST_SECRET || m_output > LONGEST_OUTPUT) {
            m_line.wipe();
            m_done.fulfil(make_error(
                Code::config,
                fmt::format("The command for the {} prints far more than one line.", owned(m_source)),
                "It has to print the secret alone, on its first line."));
            return;
        }
        if (m_line_over)
            finish();
    }

    void finish() {
        if (!m_heard)
            return;
        bool good = m_exit->code == 0 && m_exit->signal == 0;
        // What it left running in the background may hold its output open for ever; the secret has been said.
        if (good && !m_output_over && !m_line_over)
            return;
        if (!good) {
            m_line.wipe();
            m_done.fulfil(failed());
            return;
        }
        while (!m_line.empty() && m_line.view().back() == '\r')
            m_line.shorten(1);
        if (m_line.empty())
            m_done.fulfil(make_error(Code::config,
                                     fmt::format("The command for the {} printed nothing.", owned(m_source)),
                                     "It has to print the secret on its first line."));
        else
            m_done.fulfil(std::move(m_line));
    }

    Error failed() const {
        std::string said;
        for (unsigned char c : m_complaint.substr(0, m_complaint.find('\n')))
            said += c < 32 || c == 127 ? ' ' : static_cast<char>(c);
        if (said.size() > LONGEST_COMPLAINT)
            said.resize(LONGEST_COMPLAINT);
        std::string how = m_exit->signal != 0 ? fmt::format("was ended by signal {}", m_exit->signal)
                                              : fmt::format("ended with code {}", m_exit->code);
        // Only the program's name: its arguments may be what must not be seen.
        return make_error(Code::auth,
                          fmt::format("The command {} for the {} {}{}{}.", m_source.command.front(),
                                      owned(m_source), how, said.empty() ? "" : ": ", said),
                          "Run it in a terminal to see what it wants; a keyring may have to be unlocked.");
    }

    loop::Loop& m_loop;
    const SecretSource& m_source;
    loop::Process m_process;
    loop::Pipe m_stdout;
    loop::Pipe m_stderr;
    Secret m_line;
    bool m_line_over = false;
    bool m_output_over = false;
    std::size_t m_output = 0; // bytes of it
    std::string m_complaint;
    std::optional<loop::Process::Exit> m_exit;
    bool m_heard = false; // all that it said before it ended
    std::shared_ptr<bool> m_alive = std::make_shared<bool>();
    loop::Once<Secret> m_done;
};

} // namespace

loop::Task<Secret> read_secret(loop::Loop& loop, SecretSource source, std::vector<std::string> hidden,
                               std::uint64_t timeout_ms, loop::CancelToken token) {
    token.throw_if_cancelled();
    if (!source.command.empty()) {
        std::string late = fmt::format("The command {} for the {} did not end within {} s.",
                                       source.command.front(), owned(source), timeout_ms / 1000);
        loop::Deadline deadline(loop, timeout_ms, token, late);
        loop::CancelToken until = deadline.token();
        Run run(loop, source);
        run.begin(hidden);
        Secret secret = co_await run.done().wait(until);
        co_return secret;
    }
    if (!source.env.empty()) {
        const char* value = std::getenv(source.env.c_str());
        if (!value || *value == '\0')
            throw make_error(Code::config,
                             fmt::format("The variable {} for the {} is not set.", source.env, owned(source)),
                             "Set it before Neovim starts, or change imap.auth.env.");
        co_return Secret(std::string_view(value));
    }
    if (source.value.empty())
        throw make_error(Code::config, fmt::format("No {} is set.", owned(source)),
                         "Set command, env or value in imap.auth.");
    Secret secret = Secret::take(source.value);
    co_return secret;
}

} // namespace himalaya::auth
