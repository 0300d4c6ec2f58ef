#include "exps/export/figures.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "exps/export/figure_parts.h"
#include "exps/export/figure_style.h"
#include "utils/error.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

std::string ending_of(FigureFormat format) {
  return format == FigureFormat::Svg ? ".svg" : format == FigureFormat::Pdf ? ".pdf" : ".png";
}

/// A name that every file system takes and no shell minds; `taken` knows it afterwards. Two names
/// that differ in case only are one file to some systems.
std::string file_name(const std::string& label, std::set<std::string>& taken) {
  constexpr std::size_t kLongest = 100;
  std::string name;
  for (const char c : label.substr(0, kLongest)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += plain || std::string_view("._-+=~").find(c) != std::string_view::npos ? c : '_';
  }
  const auto folded = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  std::string unique = name;
  for (int i = 2; !taken.insert(folded(unique)).second; ++i)
    unique = fmt::format("{}-{}", name, i);
  return unique;
}

}  // namespace

std::vector<fs::path> write_figures(const ResultsSet& set, const fs::path& folder,
                                    const FigureOptions& options) {
  if (!(options.width >= kNarrowestFigure && options.width <= kWidestFigure))
    throw Error(Fault::Usage, fmt::format("figures cannot be {} inches wide; choose {} to {}",
                                          options.width, kNarrowestFigure, kWidestFigure));
  std::vector<fs::path> files;
  const auto draw = [&](const std::string& name, const figure::Drawing& drawing) {
    const fs::path file = folder / (name + ending_of(options.format));
    during("drawing '" + file.string() + "'", [&] {
      gnuplot::draw(file, options.format, drawing.sheet.width, drawing.sheet.height,
                    drawing.commands);
    });
    files.push_back(file);
  };
  if (set.experiments.empty()) return files;
  draw("curves", figure::curves(set, options));
  draw("metrics", figure::metrics(set, options));
  std::set<std::string> taken;
  for (const ExperimentRuns& experiment : set.experiments)
    draw("matrix-" + file_name(experiment.label, taken), figure::matrix(experiment, options));
  return files;
}

}  // namespace engram
