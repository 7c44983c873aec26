// The one job queue of this Neovim, for the areas that have work for it.
#pragma once

#include "jobs/process_work.hpp"
#include "jobs/runner.hpp"

namespace himalaya::lua {

class Runtime;

struct Jobs {
    explicit Jobs(Runtime& runtime);

    jobs::Runner runner;
    jobs::Programs programs;
};

// Made by open_jobs, there until VimLeavePre.
Jobs& jobs_of(Runtime& runtime);

} // namespace himalaya::lua
