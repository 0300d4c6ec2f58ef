// Text to values and back. std::from_chars and fmt know no locale, so "0.5" means one half on every
// machine, and what is printed reads back to the same bits.
#include "utils/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "utils/error.h"

namespace engram {

bool Range::contains(double x) const {
  // Written so that NaN lies in no range, not even in the unbounded one.
  const bool above_low = includes_low ? x >= low : x > low;
  const bool below_high = includes_high ? x <= high : x < high;
  return above_low && below_high;
}

std::string Range::text() const {
  const bool bounded_below = std::isfinite(low), bounded_above = std::isfinite(high);
  if (bounded_below && bounded_above)
    return fmt::format("in {}{}, {}{}", includes_low ? '[' : '(', low, high,
                       includes_high ? ']' : ')');
  if (bounded_below) return fmt::format("{} {}", includes_low ? ">=" : ">", low);
  if (bounded_above) return fmt::format("{} {}", includes_high ? "<=" : "<", high);
  return "";
}

namespace option {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) return false;
  if constexpr (std::is_floating_point_v<Number>)
    if (!std::isfinite(value)) return false;
  out = value;
  return true;
}

/// `out` keeps its value unless the whole list fits.
template <class T>
bool parse_list(std::string_view text, std::vector<T>& out) {
  std::vector<T> values;
  text = trimmed(text);
  for (bool more = !text.empty(); more;) {
    const auto comma = text.find(',');
    more = comma != std::string_view::npos;
    const std::string_view item = trimmed(text.substr(0, comma));
    // "400,," and "400," are slips of the finger, not lists with an empty entry.
    if (item.empty() || !parse(item, values.emplace_back())) return false;
    if (more) text.remove_prefix(comma + 1);
  }
  out = std::move(values);
  return true;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

bool parse(std::string_view text, bool& out) {
  constexpr std::array<std::string_view, 4> kTrue{"true", "yes", "on", "1"};
  constexpr std::array<std::string_view, 4> kFalse{"false", "no", "off", "0"};
  const auto is = [&](std::string_view word) { return same_ignoring_case(text, word); };
  if (std::any_of(kTrue.begin(), kTrue.end(), is)) return out = true, true;
  if (std::any_of(kFalse.begin(), kFalse.end(), is)) return out = false, true;
  return false;
}

bool parse(std::string_view text, int& out) {
  return parse_number(text, out);
}
bool parse(std::string_view text, std::uint64_t& out) {
  return parse_number(text, out);
}
bool parse(std::string_view text, double& out) {
  return parse_number(text, out);
}
bool parse(std::string_view text, std::string& out) {
  return out = text, true;
}
bool parse(std::string_view text, std::vector<int>& out) {
  return parse_list(text, out);
}
bool parse(std::string_view text, std::vector<double>& out) {
  return parse_list(text, out);
}
bool parse(std::string_view text, std::vector<std::string>& out) {
  return parse_list(text, out);
}

template <class T>
static std::string print_list(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values)
    text += (text.empty() ? "" : ", ") + print(value);
  return text;
}

std::string print(bool value) {
  return value ? "true" : "false";
}
std::string print(int value) {
  return fmt::format("{}", value);
}
std::string print(std::uint64_t value) {
  return fmt::format("{}", value);
}
std::string print(double value) {
  return fmt::format("{}", value);
}
std::string print(const std::string& value) {
  return value;
}
std::string print(const std::vector<int>& value) {
  return print_list(value);
}
std::string print(const std::vector<double>& value) {
  return print_list(value);
}
std::string print(const std::vector<std::string>& value) {
  return print_list(value);
}

std::vector<std::string> spellings(std::string_view key) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('|', begin), key.size());
    ENGRAM_INVARIANT(end > begin);
    names.emplace_back(key.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace option
}  // namespace engram
