// What all programs of this Neovim share: their guardian, the variables kept from them, and a look into /proc for
// groups that only seem alive.
//
// A dead process whose parent never collects it (a container whose first process does not) keeps its group: kill()
// still succeeds. Only its state in /proc tells, and reading hundreds of files there is work for a thread.
#pragma once

#include "jobs/guardian.hpp"
#include "loop/worker.hpp"

#include <optional>

namespace himalaya::jobs {

class Programs {
  public:
    Programs(loop::Loop& loop, std::string guardian_program);

    loop::Loop& loop() { return m_loop; }
    Guardian& guardian() { return m_guardian; }
    const std::vector<std::string>& secrets() const { return m_secrets; }
    void set_secrets(std::vector<std::string> names) { m_secrets = std::move(names); }

    // Whether those of the background make room for everything else on the machine.
    bool background_yields() const { return m_background_yields; }
    void set_background_yields(bool yields) { m_background_yields = yields; }

    // Before a program starts: its guardian runs, and so does our thread.
    void get_ready();
    // Asks a thread whether anybody in the group still lives; answered on the loop.
    void look_for_life(int group, Function<void(bool lives)> answer);
    void stop();

  private:
    loop::Loop& m_loop;
    Guardian m_guardian;
    std::vector<std::string> m_secrets;
    bool m_background_yields = true;
    loop::Worker& worker();
    std::optional<loop::Worker> m_worker;
};

// True unless everybody in the group is dead and only not yet collected. Reads all of /proc where there is one.
bool group_lives(int group);

} // namespace himalaya::jobs
