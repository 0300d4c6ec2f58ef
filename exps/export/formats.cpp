// The table of export formats.
#include "exps/analysis/results_json.h"
#include "exps/export/export.h"
#include "exps/export/figures.h"
#include "exps/export/pictures.h"
#include "exps/export/tables.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

fs::path write_table(const TidyTable& table, const ResultsSet& set, const fs::path& folder) {
  const fs::path file = folder / (std::string(table.name) + ".csv");
  save_text(file, csv_text(table, set));
  return file;
}

/// A figure has no room for definitions: they lie beside it.
template <FigureFormat kFormat>
std::vector<fs::path> figures(const ResultsSet& set, const fs::path& folder,
                              const ExportOptions& options) {
  auto written = write_figures(set, folder, {.format = kFormat, .width = options.width});
  written.push_back(write_table(find_tidy_table("definitions"), set, folder));
  return written;
}

/// Pictures come first, for they need no gnuplot.
std::vector<fs::path> pixels(const ResultsSet& set, const fs::path& folder,
                             const ExportOptions& options) {
  auto written = write_pictures(set, folder);
  for (fs::path& file : figures<FigureFormat::Png>(set, folder, options))
    written.push_back(std::move(file));
  return written;
}

std::vector<fs::path> tables(const ResultsSet& set, const fs::path& folder, const ExportOptions&) {
  std::vector<fs::path> written;
  for (const TidyTable& table : tidy_tables())
    written.push_back(write_table(table, set, folder));
  return written;
}

constexpr ExportFormat kFormats[] = {
    {"csv", "tidy tables, one observation a row, for pandas, R and spreadsheets", "export", nullptr,
     tables},
    {"json", "everything, as the report embeds it", "export.json", json_text, nullptr},
    {"npz", "arrays for numpy.load", "export.npz", npz_bytes, nullptr},
    {"latex", "a table with booktabs' rules for a paper", "export.tex", latex_text, nullptr},
    {"svg", "figures drawn by gnuplot: curves, metrics, accuracy matrices", "export", nullptr,
     figures<FigureFormat::Svg>},
    {"pdf", "the same figures for a paper", "export", nullptr, figures<FigureFormat::Pdf>},
    {"png", "the same figures as pixels, 300 to the inch, and all pictures that models made",
     "export", nullptr, pixels},
};

}  // namespace

std::span<const ExportFormat> export_formats() {
  return kFormats;
}

const ExportFormat& find_export_format(std::string_view name) {
  std::vector<std::string> known;
  for (const ExportFormat& format : kFormats) {
    if (format.name == name) return format;
    known.emplace_back(format.name);
  }
  throw Error(Fault::Usage,
              "export: there is no format '" + std::string(name) + "'" + suggestion(name, known));
}

std::string json_text(const ResultsSet& set) {
  // Names may come from anywhere: what is no UTF-8 is replaced instead of refused.
  return json_text(results_json(set), 1) + "\n";
}

}  // namespace engram
