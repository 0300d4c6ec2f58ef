#include "exps/bench_report.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "exps/show_parts.h"
#include "utils/provenance.h"
#include "utils/terminal.h"

namespace engram {
namespace {

constexpr int kGap = 2;

/// Three significant digits, without an exponent.
std::string short_number(double x) {
  return fmt::format("{:.{}f}", x, x >= 99.95 ? 0 : x >= 9.995 ? 1 : x >= 0.9995 ? 2 : 3);
}
std::string percent(double fraction) {
  return short_number(100 * fraction) + " %";
}

struct Column {
  std::string title;
  int keep;  ///< those with the smallest go first when there is no room
  std::vector<std::string> cells;
};

std::vector<Column> columns_of(const BenchReport& report) {
  std::vector<Column> out;
  const auto add = [&](const char* title, int keep, auto cell) {
    Column column{title, keep, {}};
    for (const BenchReport::Row& row : report.rows)
      column.cells.push_back(cell(row, row.measured));
    out.push_back(std::move(column));
  };
  using Row = BenchReport::Row;
  using M = Measurement;
  add("workload", 100, [](const Row& row, const M&) { return row.name; });
  add("step ms", 99, [](const Row&, const M& m) { return short_number(m.step_ms); });
  add("IQR", 6, [](const Row&, const M& m) { return short_number(m.step_ms_iqr); });
  add("best", 4, [](const Row&, const M& m) { return short_number(m.step_ms_best); });
  add("samples/s", 9, [](const Row&, const M& m) { return show::count(m.samples_per_second()); });
  add("executed", 7, [](const Row&, const M& m) { return show::count(m.executed_macs); });
  add("dense", 5, [](const Row&, const M& m) { return show::count(m.dense_macs); });
  add("GFLOP/s", 2, [](const Row&, const M& m) { return short_number(m.executed_gflops()); });
  add("of peak", 3,
      [&](const Row& row, const M&) { return percent(report.executed_peak_fraction(row)); });
  add("as dense", 8, [](const Row&, const M& m) { return short_number(m.dense_gflops()); });
  add("of peak", 10, [&](const Row& row, const M&) { return percent(report.peak_fraction(row)); });
  add("sweep", 1, [&](const Row& row, const M&) { return percent(report.sweep_share(row)); });
  add("memory", 8, [](const Row&, const M& m) { return bytes(m.peak_rss_bytes); });
  return out;
}

int width_of(const Column& column) {
  int width = columns(column.title);
  for (const std::string& cell : column.cells)
    width = std::max(width, columns(cell));
  return width;
}

/// Leaves columns out until the others fit.
void narrow(std::vector<Column>& table, int width) {
  const auto total = [&] {
    int sum = -kGap;
    for (const Column& column : table)
      sum += width_of(column) + kGap;
    return sum;
  };
  while (total() > width && table.size() > 2)
    table.erase(std::min_element(table.begin(), table.end(),
                                 [](const auto& a, const auto& b) { return a.keep < b.keep; }));
}

std::string table_text(const std::vector<Column>& table, bool colour) {
  const auto line = [&](auto cell) {
    std::string text;
    for (std::size_t c = 0; c < table.size(); ++c)
      text += c == 0 ? fit(cell(table[c]), width_of(table[c]))
                     : std::string(kGap, ' ') + fit_right(cell(table[c]), width_of(table[c]));
    return text;
  };
  std::string out = bold(line([](const Column& c) { return c.title; }), colour) + "\n";
  for (std::size_t r = 0; r < table.front().cells.size(); ++r)
    out += line([r](const Column& c) { return c.cells[r]; }) + "\n";
  return out;
}

/// What the columns that are there mean.
std::string legend_text(const std::vector<Column>& table) {
  constexpr std::pair<const char*, const char*> kMeanings[] = {
      {"step ms", "median; evaluate_*: of the whole test set"},
      {"IQR", "interquartile range"},
      {"executed", "multiply-adds of a step"},
      {"dense", "multiply-adds if every product were dense"},
      {"GFLOP/s", "executed, two for a multiply-add, and the share of the gemm peak"},
      {"as dense", "GFLOP/s if every product were dense, and the share of the gemm peak"},
      {"sweep", "bandwidth that one pass over all weights per step takes, of the measured"},
      {"memory", "peak of the workload's own process, data included"}};
  std::string out;
  for (const auto& [title, meaning] : kMeanings)
    for (const Column& column : table)
      if (column.title == title) out += fmt::format("{:<9} {}\n", title, meaning);
  return out;
}

}  // namespace

double BenchReport::peak_fraction(const Row& row) const {
  return peaks.gemm_gflops > 0 ? row.measured.dense_gflops() / peaks.gemm_gflops : 0;
}

double BenchReport::executed_peak_fraction(const Row& row) const {
  return peaks.gemm_gflops > 0 ? row.measured.executed_gflops() / peaks.gemm_gflops : 0;
}

double BenchReport::sweep_share(const Row& row) const {
  const double sweep = (row.trains ? 2 : 1) * sizeof(real) * row.measured.parameters;
  return peaks.bandwidth_gb_s > 0 ? 1e-9 * row.measured.per_second(sweep) / peaks.bandwidth_gb_s
                                  : 0;
}

double BenchReport::hidden_ratio() const {
  const auto step = [this](std::string_view name) {
    for (const Row& row : rows)
      if (row.name == name) return row.measured.step_ms;
    return 0.0;
  };
  const double narrow = step("hidden_2048");
  return narrow > 0 ? step("hidden_4096") / narrow : 0;
}

std::string bench_text(const BenchReport& report, bool colour, int width) {
  const MachinePeaks& p = report.peaks;
  const auto beside_one = [&](double all, double one, const char* unit) {
    const std::string text = short_number(all) + " " + unit;
    return report.threads > 1 ? text + " (" + short_number(one) + " with 1)" : text;
  };
  std::string out = fmt::format(
      "engram {} on {}, {}\nBLAS core {}, SIMD {}\ndata: {}\ngemm peak {}, memory {}\n\n",
      engram_version(), report.cpu,
      show::plural(static_cast<std::size_t>(report.threads), "thread"), report.blas_core,
      report.simd, report.data, beside_one(p.gemm_gflops, p.gemm_gflops_one, "GFLOP/s"),
      beside_one(p.bandwidth_gb_s, p.bandwidth_gb_s_one, "GB/s"));
  if (report.rows.empty()) return out;
  std::vector<Column> table = columns_of(report);
  narrow(table, width);
  out += table_text(table, colour) + "\n";
  if (const double ratio = report.hidden_ratio(); ratio > 0)
    out += fmt::format("hidden_4096 / hidden_2048: {} x the time for twice the units\n\n",
                       short_number(ratio));
  return out + dim(legend_text(table), colour);
}

std::string bench_json(const BenchReport& report) {
  nlohmann::ordered_json out{{"engram", engram_version()},
                             {"cpu", report.cpu},
                             {"blas_core", report.blas_core},
                             {"simd", report.simd},
                             {"threads", report.threads},
                             {"data", report.data},
                             {"gemm_peak_gflops", report.peaks.gemm_gflops},
                             {"gemm_peak_gflops_one_thread", report.peaks.gemm_gflops_one},
                             {"memory_bandwidth_gb_s", report.peaks.bandwidth_gb_s},
                             {"memory_bandwidth_gb_s_one_thread", report.peaks.bandwidth_gb_s_one},
                             {"workloads", nlohmann::ordered_json::array()}};
  for (const BenchReport::Row& row : report.rows) {
    const Measurement& m = row.measured;
    out["workloads"].push_back({{"name", row.name},
                                {"step_ms", m.step_ms},
                                {"step_ms_best", m.step_ms_best},
                                {"step_ms_iqr", m.step_ms_iqr},
                                {"samples_per_second", m.samples_per_second()},
                                {"steps", m.steps},
                                {"batch", m.batch},
                                {"executed_macs", m.executed_macs},
                                {"dense_macs", m.dense_macs},
                                {"executed_gflops", m.executed_gflops()},
                                {"dense_gflops", m.dense_gflops()},
                                {"executed_peak_fraction", report.executed_peak_fraction(row)},
                                {"peak_fraction", report.peak_fraction(row)},
                                {"sweep_share", report.sweep_share(row)},
                                {"peak_rss_bytes", m.peak_rss_bytes},
                                {"parameters", m.parameters}});
  }
  if (report.hidden_ratio() > 0) out["hidden_ratio"] = report.hidden_ratio();
  return out.dump(2) + "\n";
}

}  // namespace engram
