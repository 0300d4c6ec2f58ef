// Who computed a result, with what: enough to repeat it, or to see why a repetition differs.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engram {

using Facts = std::vector<std::pair<std::string, std::string>>;

/// engram version, git revision (with "+changes" when dirty), compiler and flags, CPU model, BLAS
/// core, threads, library versions, host's OS, time started (UTC, ISO 8601).
Facts collect_provenance();
/// The first text of that name, "" when there is none.
std::string find_fact(const Facts&, std::string_view name);
std::string engram_version();
std::string utc_now();         ///< "2026-11-22T14:03:07Z"
std::size_t peak_rss_bytes();  ///< of this process so far

}  // namespace engram
