#include "exps/export/figures.h"

#include <cmath>
#include <set>

#include <fmt/format.h>

#include "exps/export/figure_parts.h"
#include "exps/export/figure_style.h"
#include "exps/export/file_names.h"
#include "utils/error.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

std::string ending_of(FigureFormat format) {
  return format == FigureFormat::Svg ? ".svg" : format == FigureFormat::Pdf ? ".pdf" : ".png";
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
    draw("matrix-" + unique_name(plain_name(experiment.label), taken),
         figure::matrix(experiment, options));
  return files;
}

}  // namespace engram
