// One declaration per option serves parsing, range checks, `engram list`, the unknown-key check and
// the record in the results file:
//
//   struct DropoutOptions {
//     double rate = 0.5;
//     template <class V> void describe(V&& v) {
//       v("dropout", rate, Range::at_least(0).below(1), "probability of dropping a hidden unit");
//     }
//   };
//
// A key written "name|alias" is read under either spelling and recorded under the first.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

namespace engram {

/// An interval of allowed numbers.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool includes_low = true, includes_high = true;

  static Range any() { return {}; }
  static Range at_least(double low) { return {.low = low}; }
  static Range above(double low) { return {.low = low, .includes_low = false}; }
  static Range fraction() { return {.low = 0, .high = 1}; }
  Range at_most(double value) const { return {low, value, includes_low, true}; }
  Range below(double value) const { return {low, value, includes_low, false}; }

  bool contains(double x) const;
  std::string text() const;  ///< "in [0, 1)", "> 0", or "" when nothing is excluded
};

/// Specialise for an enum to make it an option: `static constexpr std::array<std::string_view, N>
/// names` in the order of the enumerators 0..N-1.
template <class E>
struct Choices;
template <class E>
concept Choice = std::is_enum_v<E> && requires {
  Choices<E>::names.size();
};

template <Choice E>
std::string_view name_of(E value) {
  return Choices<E>::names[static_cast<std::size_t>(value)];
}

/// What `engram list` prints about one option.
struct OptionInfo {
  std::string key;  ///< without aliases
  std::vector<std::string> aliases;
  std::string type, value, range, help;  ///< `value` is the default
};

namespace option {

// parse() returns false when the text does not fit the type; print() gives the canonical text.
bool parse(std::string_view text, bool& out);
bool parse(std::string_view text, int& out);
bool parse(std::string_view text, std::uint64_t& out);
bool parse(std::string_view text, double& out);
bool parse(std::string_view text, std::string& out);
bool parse(std::string_view text, std::vector<int>& out);  // "400, 400"
bool parse(std::string_view text, std::vector<double>& out);
bool parse(std::string_view text, std::vector<std::string>& out);  // "ewc, er"

std::string print(bool value);
std::string print(int value);
std::string print(std::uint64_t value);
std::string print(double value);  ///< the shortest text that reads back to the same bits
std::string print(const std::string& value);
std::string print(const char*) = delete;  // would silently print as a bool
std::string print(const std::vector<int>& value);
std::string print(const std::vector<double>& value);
std::string print(const std::vector<std::string>& value);

template <Choice E>
bool parse(std::string_view text, E& out) {
  for (std::size_t i = 0; i < Choices<E>::names.size(); ++i)
    if (Choices<E>::names[i] == text) return out = static_cast<E>(i), true;
  return false;
}
template <Choice E>
std::string print(E value) {
  return std::string(name_of(value));
}

/// An optional is written "auto" when empty: its owner decides from the other settings.
template <class T>
bool parse(std::string_view text, std::optional<T>& out) {
  if (text == "auto") return out.reset(), true;
  T value{};
  return parse(text, value) && (out = value, true);
}
template <class T>
std::string print(const std::optional<T>& value) {
  return value ? print(*value) : "auto";
}

template <class T>
std::string type_name() {
  if constexpr (std::is_same_v<T, bool>)
    return "bool";
  else if constexpr (std::is_same_v<T, int> || std::is_same_v<T, std::uint64_t>)
    return "integer";
  else if constexpr (std::is_same_v<T, double>)
    return "number";
  else if constexpr (std::is_same_v<T, std::string>)
    return "text";
  else if constexpr (Choice<T>)
    return fmt::format("{}", fmt::join(Choices<T>::names, " | "));
  else if constexpr (requires {
                       typename T::value_type;
                       requires std::is_same_v<T, std::optional<typename T::value_type>>;
                     })
    return "auto | " + type_name<typename T::value_type>();
  else
    return "list";
}

/// True when every number in `value` (if it is or holds numbers) lies in the range.
template <class T>
bool within(const T& value, const Range& range) {
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    return range.contains(static_cast<double>(value));
  } else if constexpr (std::is_same_v<T, std::vector<int>> ||
                       std::is_same_v<T, std::vector<double>>) {
    for (const auto x : value)
      if (!range.contains(static_cast<double>(x))) return false;
    return true;
  } else if constexpr (requires { value.has_value(); }) {
    return !value || within(*value, range);
  } else {
    return true;
  }
}

/// "tasks|num_batch" -> {"tasks", "num_batch"}.
std::vector<std::string> spellings(std::string_view key);

/// The visitor that turns a describe() into a list for help and for the unknown-key check.
class Lister {
 public:
  explicit Lister(std::vector<OptionInfo>& out) : out_(out) {}
  template <class T>
  void operator()(std::string_view key, T& field, std::string_view help) {
    (*this)(key, field, Range::any(), help);
  }
  template <class T>
  void operator()(std::string_view key, T& field, const Range& range, std::string_view help) {
    auto names = spellings(key);
    OptionInfo info{.key = names.front(),
                    .aliases = {names.begin() + 1, names.end()},
                    .type = type_name<T>(),
                    .value = print(field),
                    .range = range.text(),
                    .help = std::string(help)};
    out_.push_back(std::move(info));
  }

 private:
  std::vector<OptionInfo>& out_;
};

}  // namespace option

template <class T>
concept Described = std::default_initializable<T> && requires(T t, option::Lister lister) {
  t.describe(lister);
};

/// Of what has nothing to choose.
struct NoOptions {
  template <class V>
  void describe(V&&) {}
};

/// The options of a struct with what it holds as their defaults.
template <Described T>
std::vector<OptionInfo> list_options(T defaults) {
  std::vector<OptionInfo> out;
  defaults.describe(option::Lister(out));
  return out;
}
template <Described T>
std::vector<OptionInfo> list_options() {
  return list_options(T{});
}

}  // namespace engram
