// For results_*.cpp only: what the halves of the results file write and read with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "exps/record.h"
#include "utils/h5.h"

namespace engram::results {

using Shape = std::vector<std::size_t>;

// ---- Writing ----

struct About {
  const char* unit;
  const char* description;
};

template <class T>
void put(const h5::Group& group, const std::string& name, std::span<const T> values, Shape shape,
         const About& about) {
  group.write(name, values, std::move(shape));
  group.describe(name, "unit", about.unit);
  group.describe(name, "description", about.description);
}
template <class T>
void put(const h5::Group& group, const std::string& name, const std::vector<T>& values,
         const About& about) {
  put(group, name, std::span<const T>(values), {values.size()}, about);
}
void put_table(const h5::Group& group, const std::string& name, const Table& table,
               const About& about);
void put_texts(const h5::Group& group, const std::string& name,
               const std::vector<std::string>& texts, const char* description);

/// A ragged list of rows as a table; what a row lacks is NaN.
template <class Row>
void put_rows(const h5::Group& group, const std::string& name, const std::vector<Row>& rows,
              std::vector<double> Row::*field, std::size_t at_least, const About& about) {
  std::size_t width = at_least;
  for (const Row& row : rows)
    width = std::max(width, (row.*field).size());
  std::vector<double> values(rows.size() * width, kNotEvaluated);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy((rows[i].*field).begin(), (rows[i].*field).end(), values.begin() + i * width);
  put<double>(group, name, values, {rows.size(), width}, about);
}

/// A name that HDF5 takes for one step of a path, different from the ones in use.
std::string link_name(const h5::Group& group, std::string name);

// ---- Reading ----

constexpr double kAnything = std::numeric_limits<double>::infinity();
constexpr double kMostScore = 1e12;  ///< of scores, returns and what goes with them

[[noreturn]] void refuse(const std::string& what);  ///< Error(Data)

std::vector<double> row_of(const std::vector<double>& table, std::size_t row, std::size_t width);

/// Reads a data set of one group, so that what is wrong is said with the whole path.
class Reader {
 public:
  Reader(const h5::Group& root, const std::string& path) : group_(root.open(path)), path_(path) {}

  const h5::Group& group() const { return group_; }
  const std::string& path() const { return path_; }

  /// NaN passes for any bounds.
  std::vector<double> numbers(const std::string& name, const Shape& expected, double low,
                              double high) const;
  Table table(const std::string& name, const Shape& expected, double low, double high) const;
  std::vector<std::int64_t> integers(const std::string& name, const Shape& expected,
                                     std::int64_t high, std::int64_t low = 0) const;
  std::vector<int> ints(const std::string& name, const Shape& expected, int low = 0) const;
  std::vector<std::uint8_t> bytes(const std::string& name, const Shape& expected) const;
  std::vector<std::string> texts(const std::string& name, std::size_t expected) const;

  Shape shape(const std::string& name, std::size_t rank) const;
  std::size_t length(const std::string& name) const { return shape(name, 1)[0]; }

 private:
  void check_shape(const std::string& name, const Shape& expected) const;

  h5::Group group_;
  std::string path_;
};

/// Counts what is going to be read of measures, goodness, pictures, embeddings, representations,
/// plasticity and returns, which may take 256 MiB in memory together: a hundred coloured images of
/// 32 x 32 at 870 moments. Deflate could make far more of a file that wants to do harm.
class Budget {
 public:
  /// `extents` times `size` bytes more.
  void take(const std::string& what, const Shape& extents, std::size_t size);

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 28;
  std::size_t left_ = kMost;
};

// ---- /measures, /goodness, /pictures, /embeddings, /representations, /plasticity and /returns
// ----

void save_goodness_and_pictures(const h5::Group& root, const RunRecord&);
/// After the tasks and the epochs, whose numbers are the extents of what is read.
void load_goodness_and_pictures(const h5::Group& root, RunRecord&);
void save_representations(const h5::Group& root, const RunRecord&);
void load_representations(const h5::Group& root, Budget&, RunRecord&);
void save_plasticity(const h5::Group& root, const RunRecord&);
void load_plasticity(const h5::Group& root, Budget&, RunRecord&);
void save_returns(const h5::Group& root, const RunRecord&);
void load_returns(const h5::Group& root, Budget&, RunRecord&);

}  // namespace engram::results
