#include "exps/commands/read_results.h"

#include <cstdio>

#include <fmt/format.h>

#include "exps/commands/places.h"
#include "utils/terminal.h"

namespace engram {

std::vector<std::filesystem::path> result_places(const std::vector<std::string>& words,
                                                 const std::string& command) {
  std::vector<std::filesystem::path> places;
  for (const std::string& word : words)
    places.push_back(results_place(word, folder_of_old_results(std::nullopt), command));
  return places;
}

ResultsSet read_results(const std::vector<std::filesystem::path>& places) {
  LiveLines live;
  ResultsSet set = load_results_set(places, [&](std::size_t done, std::size_t all) {
    live.show(fmt::format("reading results, {} of {}", done, all));
  });
  live.clear();
  for (const SkippedFile& file : set.skipped)
    fmt::print(stderr, "engram: left out {}: {}\n", file.file.string(), file.reason);
  return set;
}

}  // namespace engram
