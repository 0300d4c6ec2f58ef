#include "exps/starting_weights.h"

#include <algorithm>

#include <fmt/format.h>

#include "models/saved_weights.h"
#include "utils/error.h"

namespace engram {

std::filesystem::path weights_path(const FineTuningOptions& options, const RunFiles& files) {
  const std::filesystem::path folder = files.folder.parent_path();
  const std::pair<std::string, std::string> known[] = {
      {"{seed}", std::to_string(files.seed)},
      {"{results}", folder.empty() ? "." : folder.string()}};
  const std::string& text = options.weights;
  std::string path;
  for (std::size_t i = 0; i < text.size();) {
    const auto* const word = std::ranges::find_if(known, [&](const auto& entry) {
      return text.compare(i, entry.first.size(), entry.first) == 0;
    });
    if (word != std::end(known)) {
      path += word->second, i += word->first.size();
      continue;
    }
    if (text[i] == '{' || text[i] == '}')
      throw Error(
          Fault::Config,
          fmt::format("weights = {}: only {{seed}} and {{results}} may stand in braces", text));
    path += text[i++];
  }
  return path;
}

StartingWeights start_from_weights(const FineTuningOptions& options, const RunFiles& files,
                                   Network& net) {
  if (options.weights.empty()) return {};
  const int until =
      options.weights_until.empty() ? -1 : layer_named(net, options.weights_until, "weights_until");
  const auto path = weights_path(options, files);
  if (!std::filesystem::exists(path))
    throw Error(Fault::MissingInput,
                fmt::format("weights = {}: there is no file {}; run the experiment that leaves it "
                            "first, with keep_weights = yes and the same seeds",
                            options.weights, path.string()));
  const TakenWeights taken = load_weights(path, net, until);
  std::string text = fmt::format("{}", fmt::join(taken.layers, ", "));
  if (!taken.rest.empty()) text += "; no others: " + taken.rest;
  return {{{"weights", path.string()}, {"weights_sha256", taken.sha256}, {"weights_taken", text}},
          taken.takes(net.layer_name(0))};
}

}  // namespace engram
