#include "exps/report/assets.h"

// The assembler takes in the files; CMake knows that this source depends on them. A macro per file,
// for the name of a symbol and of a file must be literals.
#define EMBED(symbol, path)                                                 \
  __asm__(                                                                  \
      ".pushsection .rodata\n"                                              \
      "engram_asset_" #symbol                                               \
      ":\n"                                                                 \
      ".incbin \"" path                                                     \
      "\"\n"                                                                \
      "engram_asset_" #symbol                                               \
      "_end:\n"                                                             \
      ".byte 0\n"                                                           \
      ".popsection\n");                                                     \
  extern "C" {                                                              \
  extern const char begin_##symbol[] __asm__("engram_asset_" #symbol);      \
  extern const char end_##symbol[] __asm__("engram_asset_" #symbol "_end"); \
  }
#define OWN(symbol, file) EMBED(symbol, ENGRAM_REPORT_DIR "/" file)
#define VEGA(symbol, file) EMBED(symbol, ENGRAM_VEGA_DIR "/vega-" file ".min.js")
#define TEXT(symbol) \
  std::string_view(begin_##symbol, static_cast<std::size_t>(end_##symbol - begin_##symbol))

OWN(page, "report.html")
OWN(style, "report.css")
OWN(core, "core.js")
OWN(figure, "figure.js")
OWN(charts, "charts.js")
OWN(legend, "legend.js")
OWN(summary, "summary.js")
OWN(curves, "curves.js")
OWN(steps, "steps.js")
OWN(matrices, "matrices.js")
OWN(sparsity, "sparsity.js")
OWN(cost, "cost.js")
OWN(paths, "paths.js")
OWN(goodness, "goodness.js")
OWN(pictures, "pictures.js")
OWN(representations, "representations.js")
OWN(plasticity, "plasticity.js")
OWN(returns, "returns.js")
OWN(tables, "tables.js")
OWN(main, "main.js")

VEGA(util, "util")
VEGA(time, "time")
VEGA(format, "format")
VEGA(loader, "loader")
VEGA(dataflow, "dataflow")
VEGA(canvas, "canvas")
VEGA(scale, "scale")
VEGA(scenegraph, "scenegraph")
VEGA(statistics, "statistics")
VEGA(expression, "expression")
VEGA(selection, "selection")
VEGA(events, "event-selector")
VEGA(functions, "functions")
VEGA(runtime, "runtime")
VEGA(transforms, "transforms")
VEGA(view_transforms, "view-transforms")
VEGA(encode, "encode")
VEGA(parser, "parser")
VEGA(view, "view")

namespace engram::assets {

std::string_view page() {
  return TEXT(page);
}
std::string_view style() {
  return TEXT(style);
}

std::span<const std::string_view> code() {
  static const std::string_view all[] = {TEXT(core),
                                         TEXT(figure),
                                         TEXT(charts),
                                         TEXT(legend),
                                         TEXT(summary),
                                         TEXT(curves),
                                         TEXT(steps),
                                         TEXT(matrices),
                                         TEXT(sparsity),
                                         TEXT(paths),
                                         TEXT(goodness),
                                         TEXT(pictures),
                                         TEXT(representations),
                                         TEXT(plasticity),
                                         TEXT(returns),
                                         TEXT(cost),
                                         TEXT(tables),
                                         TEXT(main)};
  return all;
}

std::span<const Module> vega() {
  static const Module all[] = {{"vega-util", TEXT(util)},
                               {"vega-time", TEXT(time)},
                               {"vega-format", TEXT(format)},
                               {"vega-loader", TEXT(loader)},
                               {"vega-dataflow", TEXT(dataflow)},
                               {"vega-canvas", TEXT(canvas)},
                               {"vega-scale", TEXT(scale)},
                               {"vega-scenegraph", TEXT(scenegraph)},
                               {"vega-statistics", TEXT(statistics)},
                               {"vega-expression", TEXT(expression)},
                               {"vega-selections", TEXT(selection)},
                               {"vega-event-selector", TEXT(events)},
                               {"vega-functions", TEXT(functions)},
                               {"vega-runtime", TEXT(runtime)},
                               {"vega-transforms", TEXT(transforms)},
                               {"vega-view-transforms", TEXT(view_transforms)},
                               {"vega-encode", TEXT(encode)},
                               {"vega-parser", TEXT(parser)},
                               {"vega-view", TEXT(view)}};
  return all;
}

}  // namespace engram::assets
