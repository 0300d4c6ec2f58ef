#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "exps/analysis/comparison.h"
#include "exps/export/export.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr const char* kMetrics[] = {"average_accuracy", "forgetting", "learning_accuracy"};
constexpr const char* kTitles[] = {"ACC", "forgetting", "LA"};
constexpr std::size_t kCount = std::size(kMetrics);

Summary summary_of(const ExperimentRuns& e, const std::string& metric) {
  return summarise(known_values(e, metric));
}

std::string number(const Summary& s, bool is_bold) {
  if (s.n == 0) return "--";
  std::string text = fmt::format("{:.1f}", 100 * s.mean);
  if (is_bold) text = "\\mathbf{" + text + "}";
  if (s.n > 1) text += fmt::format(" \\pm {:.1f}", 100 * s.ci95);
  return "$" + text + "$";
}

/// Which experiments a metric sets in bold; none where runs do not compare, and then why.
struct Bold {
  std::vector<bool> is_bold;
  std::string why_not;
};

/// Where the pair of i and j > i stands: pairs come as (1, 2), (1, 3), ..., (2, 3), ...
std::size_t pair_of(std::size_t i, std::size_t j, std::size_t count) {
  return i * (2 * count - i - 1) / 2 + (j - i - 1);
}
/// Whether the second of a pair did better over the seeds that both have.
bool is_ahead(const PairComparison& pair, int direction) {
  return direction * pair.difference > 0;
}

/// The best of a metric, over the seeds of each pair, and those that cannot be told from it.
Bold bold_ones(const ResultsSet& set, const std::string& metric) {
  Bold bold{std::vector<bool>(set.experiments.size(), false), ""};
  if (set.experiments.size() < 2) return bold;
  std::vector<PairComparison> pairs;
  try {
    pairs = compare_experiments(set.experiments, {.metric = metric});
  } catch (const Error& error) {
    bold.why_not = error.what();
    return bold;
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < set.experiments.size(); ++i)
    if (is_ahead(pairs[pair_of(best, i, set.experiments.size())], direction_of(metric))) best = i;
  bold.is_bold[best] = true;
  for (std::size_t i = 0; i < set.experiments.size(); ++i) {
    if (i == best) continue;
    const Verdict of_second =
        pairs[pair_of(std::min(i, best), std::max(i, best), set.experiments.size())].verdict;
    bold.is_bold[i] = of_second != (i < best ? Verdict::Better : Verdict::Worse);
  }
  return bold;
}

/// What bold type means in the table, and which metrics have none for which reason.
std::string about_bold(const std::vector<Bold>& bold) {
  std::string none;
  bool are_same = true;
  for (std::size_t m = 0; m < kCount; ++m) {
    are_same = are_same && bold[m].why_not == bold[0].why_not;
    if (!bold[m].why_not.empty())
      none += fmt::format(" No {} is set in bold: {}.", kTitles[m], latex_escaped(bold[m].why_not));
  }
  if (are_same && !none.empty())
    return fmt::format(" Nothing is set in bold: {}.", latex_escaped(bold[0].why_not));
  const bool has_bold = std::ranges::any_of(bold, [](const Bold& b) { return b.why_not.empty(); });
  const char* meaning =
      " Bold: the best, and those that a paired t test with Holm's correction and a BCa bootstrap "
      "interval cannot tell from it.";
  return (has_bold ? meaning : "") + none;
}

std::string runs_text(const ResultsSet& set) {
  std::size_t least = set.experiments.front().runs.size(), most = least;
  for (const ExperimentRuns& e : set.experiments)
    least = std::min(least, e.runs.size()), most = std::max(most, e.runs.size());
  return least == most ? fmt::format("n = {}", least) : fmt::format("n from {} to {}", least, most);
}

}  // namespace

std::string latex_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '{':
      case '}':
      case '$':
      case '&':
      case '#':
      case '%':
      case '_':
        out += '\\';
        out += c;
        break;
      case '<':
        out += "\\textless{}";
        break;
      case '>':
        out += "\\textgreater{}";
        break;
      case '"':
        out += "\\textquotedbl{}";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string latex_text(const ResultsSet& set) {
  std::vector<Bold> bold;
  for (const char* metric : kMetrics)
    bold.push_back(bold_ones(set, metric));

  std::string out =
      "% needs \\usepackage{booktabs} and, for quotation marks in names, "
      "\\usepackage[T1]{fontenc}\n"
      "\\begin{table}\n\\centering\n\\begin{tabular}{lrrrr}\n\\toprule\nexperiment & $n$";
  for (const char* title : kTitles)
    out += fmt::format(" & {}, \\%", title);
  out += " \\\\\n\\midrule\n";
  for (std::size_t i = 0; i < set.experiments.size(); ++i) {
    const ExperimentRuns& e = set.experiments[i];
    out += fmt::format("{} & {}", latex_escaped(e.label), e.runs.size());
    for (std::size_t m = 0; m < kCount; ++m)
      out += " & " + number(summary_of(e, kMetrics[m]), bold[m].is_bold[i]);
    out += " \\\\\n";
  }
  out +=
      "\\bottomrule\n\\end{tabular}\n\\caption{Mean $\\pm$ half of the 95\\,\\% t interval over "
      "seeds (" +
      runs_text(set) + ").";
  if (set.experiments.size() > 1) out += about_bold(bold);
  for (std::size_t m = 0; m < kCount; ++m) {
    const std::string definition = definition_of(set.experiments, kMetrics[m]);
    const bool is_named = definition.starts_with(std::string(kTitles[m]) + " = ");
    out += (is_named ? " " : fmt::format(" {}: ", kTitles[m])) + latex_escaped(definition) + ".";
  }
  return out + "}\n\\end{table}\n";
}

}  // namespace engram
