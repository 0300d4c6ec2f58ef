#include "exps/results_parts.h"

#include <cmath>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram::results {

void put_table(const h5::Group& group, const std::string& name, const Table& table,
               const About& about) {
  put<double>(group, name, {table.data(), table.size()}, {table.shape(0), table.shape(1)}, about);
}

void put_texts(const h5::Group& group, const std::string& name,
               const std::vector<std::string>& texts, const char* description) {
  group.write_texts(name, texts);
  group.describe(name, "unit", "text");
  group.describe(name, "description", description);
}

std::string link_name(const h5::Group& group, std::string name) {
  std::replace(name.begin(), name.end(), '/', ':');
  if (name.empty() || name == ".") name = "layer";
  if (!group.has(name)) return name;
  int number = 2;
  while (group.has(fmt::format("{} ({})", name, number)))
    ++number;
  return fmt::format("{} ({})", name, number);
}

void refuse(const std::string& what) {
  throw Error(Fault::Data, what);
}

std::vector<double> row_of(const std::vector<double>& table, std::size_t row, std::size_t width) {
  const auto begin = table.begin() + static_cast<std::ptrdiff_t>(row * width);
  return {begin, begin + static_cast<std::ptrdiff_t>(width)};
}

void Budget::take(const std::string& what, const Shape& extents, std::size_t size) {
  std::size_t bytes = size;
  for (const std::size_t extent : extents) {
    if (extent > 0 && bytes > left_ / extent)
      refuse(
          fmt::format("'{}' has shape [{}], which is more than the {} MiB that measures, "
                      "goodness, pictures, embeddings, representations, plasticity and returns may "
                      "take together",
                      what, fmt::join(extents, ", "), kMost >> 20));
    bytes *= extent;
  }
  left_ -= bytes;
}

std::vector<double> Reader::numbers(const std::string& name, const Shape& expected, double low,
                                    double high) const {
  check_shape(name, expected);
  std::vector<double> values = group_.read(name);
  for (const double value : values)
    if (!(std::isnan(value) || (value >= low && value <= high)))
      refuse(fmt::format("'{}/{}' holds {}, which is outside [{}, {}]", path_, name, value, low,
                         high));
  return values;
}

Table Reader::table(const std::string& name, const Shape& expected, double low, double high) const {
  const std::vector<double> values = numbers(name, expected, low, high);
  Table out({expected[0], expected[1]});
  std::copy(values.begin(), values.end(), out.begin());
  return out;
}

std::vector<std::int64_t> Reader::integers(const std::string& name, const Shape& expected,
                                           std::int64_t high, std::int64_t low) const {
  check_shape(name, expected);
  std::vector<std::int64_t> values = group_.read_integers(name);
  for (const std::int64_t value : values)
    if (value < low || value > high)
      refuse(fmt::format("'{}/{}' holds {}, which is outside [{}, {}]", path_, name, value, low,
                         high));
  return values;
}

std::vector<int> Reader::ints(const std::string& name, const Shape& expected, int low) const {
  const auto values = integers(name, expected, std::numeric_limits<int>::max(), low);
  return {values.begin(), values.end()};
}

std::vector<std::uint8_t> Reader::bytes(const std::string& name, const Shape& expected) const {
  check_shape(name, expected);
  return during(path_, [&] { return group_.read_bytes(name); });
}

std::vector<std::string> Reader::texts(const std::string& name, std::size_t expected) const {
  check_shape(name, {expected});
  return group_.read_texts(name);
}

Shape Reader::shape(const std::string& name, std::size_t rank) const {
  Shape found = during(path_, [&] { return group_.shape(name); });
  if (found.size() != rank)
    refuse(fmt::format("'{}/{}' has {} dimensions instead of {}", path_, name, found.size(), rank));
  return found;
}

void Reader::check_shape(const std::string& name, const Shape& expected) const {
  const Shape found = shape(name, expected.size());
  if (found != expected)
    refuse(fmt::format("'{}/{}' has shape [{}] instead of [{}]", path_, name,
                       fmt::join(found, ", "), fmt::join(expected, ", ")));
}

}  // namespace engram::results
