// One run of an agent: from wherever it stands to its results file, as exps/run.h does it for
// networks that learn from data.
#pragma once

#include "exps/run.h"

namespace engram {

/// Learns one regime after the other and looks at all of them after each. Agents that do not learn
/// are looked at alone, and have no checkpoints.
RunOutcome execute_agent_run(const Settings&, const RunRequest&);

}  // namespace engram
