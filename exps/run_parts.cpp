#include "exps/run_parts.h"

#include <string_view>

#include <fmt/format.h>

#include "exps/results_file.h"
#include "utils/options.h"
#include "utils/provenance.h"
#include "utils/terminal.h"

namespace engram {
namespace {

constexpr std::string_view kNext = "; ";  // between the entries of a fact that grows

/// VALUE of the last "DATE VALUE" of such a fact.
std::string last_value(std::string_view entries) {
  if (const auto at = entries.rfind(kNext); at != entries.npos)
    entries.remove_prefix(at + kNext.size());
  return std::string(entries.substr(entries.find(' ') + 1));
}

void set_fact(RunRecord& record, const std::string& name, const std::string& value) {
  for (auto& [known, text] : record.provenance)
    if (known == name) return void(text = value);
  record.provenance.emplace_back(name, value);
}

}  // namespace

double since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

Rng root_of(const std::optional<int>& own, std::uint64_t seed) {
  return Rng(own ? static_cast<std::uint64_t>(*own) : seed);
}

double note_resumed(RunRecord& record, const Facts& now) {
  const std::string date = utc_now();
  const auto add = [&](const std::string& name, const std::string& value) {
    const std::string before = find_fact(record.provenance, name);
    set_fact(record, name, before.empty() ? value : fmt::format("{}{}{}", before, kNext, value));
  };
  add("resumed", date);
  for (const char* name : {"engram_version", "git", "compiler", "flags", "cpu", "blas_core",
                           "openblas", "hdf5", "xtensor", "xsimd"}) {
    const std::string changes = fmt::format("resumed_{}", name), value = find_fact(now, name);
    const std::string noted = find_fact(record.provenance, changes);
    const std::string current =
        noted.empty() ? find_fact(record.provenance, name) : last_value(noted);
    if (value != current) add(changes, date + " " + value);
  }
  double seconds = 0;
  option::parse(find_fact(record.provenance, "seconds"), seconds);
  return seconds;
}

void note_seconds(RunRecord& record, double seconds) {
  set_fact(record, "seconds", fmt::format("{:.1f}", seconds));
}

void keep_record(RunRecord& record, const std::filesystem::path& file, double seconds,
                 ForgettingDefinition definition) {
  note_seconds(record, seconds);
  set_fact(record, "peak_rss", bytes(static_cast<double>(peak_rss_bytes())));
  save_results(file, record, definition);
}

void forget_weights(const RunFiles& files) {
  std::filesystem::remove(files.weights());
}

}  // namespace engram
