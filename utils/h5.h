// HDF5 through small owners: an id is closed by its type, a call that fails is an Error with HDF5's
// own reason. Little-endian types are written explicitly.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace engram::h5 {

/// A group of an open file, for reading or writing. Paths are relative ("config", "layers/k1").
class Group {
 public:
  Group(Group&&) noexcept;
  Group& operator=(Group&&) = delete;
  ~Group();

  Group create(const std::string& name) const;
  Group open(const std::string& name) const;  ///< Error(Data) when absent
  bool has(const std::string& name) const;
  std::vector<std::string> names() const;  ///< of links, in creation order

  // Attributes of this group, each written once. Text of any length (a scalar data set stands in
  // above 60 kB). Zero bytes at the end of a text are lost.
  void attribute(const std::string& name, const std::string& text) const;
  void attribute(const std::string& name, const char* text) const;
  void attribute(const std::string& name, double value) const;
  void attribute(const std::string& name, std::int64_t value) const;
  bool has_attribute(const std::string& name) const;
  std::string text_attribute(const std::string& name) const;
  double number_attribute(const std::string& name) const;
  std::int64_t integer_attribute(const std::string& name) const;
  std::vector<std::string> attribute_names() const;

  // Data sets of any rank; `shape` multiplies to the number of values.
  void write(const std::string& name, std::span<const double> values,
             std::vector<std::size_t> shape) const;
  void write(const std::string& name, std::span<const float> values,
             std::vector<std::size_t> shape) const;
  void write(const std::string& name, std::span<const std::int64_t> values,
             std::vector<std::size_t> shape) const;
  void write(const std::string& name, std::span<const std::uint32_t> values,
             std::vector<std::size_t> shape) const;
  void write(const std::string& name, std::span<const std::uint8_t> values,
             std::vector<std::size_t> shape) const;
  void write(const std::string& name, std::span<const std::int32_t> values,
             std::vector<std::size_t> shape) const;
  void write_texts(const std::string& name, std::span<const std::string> values) const;
  void describe(const std::string& dataset, const std::string& attribute,
                const std::string& text) const;
  /// One text per row or column; left out when it does not fit into an attribute.
  void describe(const std::string& dataset, const std::string& attribute,
                std::span<const std::string> values) const;

  /// Reads a whole data set, converting numbers; `shape` gets its extents. Error(Data) when absent,
  /// not numeric, or larger than 2^31 values.
  std::vector<double> read(const std::string& name,
                           std::vector<std::size_t>* shape = nullptr) const;
  std::vector<float> read_floats(const std::string& name,
                                 std::vector<std::size_t>* shape = nullptr) const;
  std::vector<std::int64_t> read_integers(const std::string& name,
                                          std::vector<std::size_t>* shape = nullptr) const;
  /// Only of unsigned bytes, which are not converted.
  std::vector<std::uint8_t> read_bytes(const std::string& name,
                                       std::vector<std::size_t>* shape = nullptr) const;
  std::vector<std::string> read_texts(const std::string& name) const;
  std::vector<std::size_t> shape(const std::string& name) const;  ///< of a data set, unread
  bool holds_bytes(const std::string& name) const;  ///< whether read_bytes takes the data set

 private:
  friend void save(const std::filesystem::path&, const std::function<void(const Group&)>&);
  friend void load(const std::filesystem::path&, const std::function<void(const Group&)>&);
  explicit Group(std::int64_t id) : id_(id) {}
  std::int64_t id_;
};

/// Writes a whole file aside, then renames it into place (save_atomically).
void save(const std::filesystem::path& file, const std::function<void(const Group& root)>& fill);
/// Opens a file for reading. Error(MissingInput) when absent, Error(Data) when it is not HDF5.
void load(const std::filesystem::path& file, const std::function<void(const Group& root)>& use);

}  // namespace engram::h5
