// IMAP as a Source: the words of sync/source.hpp said with the client of imap/.
#pragma once

#include "imap/pool.hpp"
#include "sync/source.hpp"

namespace himalaya::sync {

class ImapSource : public Source {
  public:
    // `roles` are the user's own: role -> folder path.
    ImapSource(std::shared_ptr<imap::Pool> pool, std::map<std::string, std::string> roles)
        : m_pool(std::move(pool)), m_roles(std::move(roles)) {}

    loop::Task<std::vector<RemoteFolder>> folders(std::string soon, loop::CancelToken token) override;
    loop::Task<std::vector<std::optional<RemoteState>>> states(std::vector<std::string> remotes,
                                                               loop::CancelToken token) override;
    loop::Task<std::unique_ptr<Visit>> visit(std::string remote, std::optional<Known> known, bool urgent,
                                             loop::CancelToken token) override;
    loop::Task<Stored> append(std::string remote, std::vector<NewLetter> letters,
                              loop::CancelToken token) override;
    SourceStats stats() const override;

  private:
    loop::Task<std::shared_ptr<imap::Session>> take(std::string folder, imap::Priority priority,
                                                    loop::CancelToken token);
    imap::Ticket look_anew(const std::shared_ptr<imap::Session>& session) const;

    std::shared_ptr<imap::Pool> m_pool;
    std::map<std::string, std::string> m_roles;
};

// The path people see for a server's folder name: '/' between levels, whatever the server uses.
std::string path_of(std::string_view name, std::string_view delimiter);

} // namespace himalaya::sync
