// The reading half of h5::Group. Nothing a file says about itself is believed before it is checked:
// sizes are compared with the bytes that are there, kinds with what is asked for.
#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>

#include <hdf5.h>

#include "utils/error.h"
#include "utils/h5.h"
#include "utils/h5_owners.h"

namespace engram::h5 {
namespace internal {

bool path_exists(hid_t group, const std::string& name) {
  if (name.empty() || name == ".") return !name.empty();
  for (std::size_t end = 0; end != std::string::npos;) {
    end = name.find('/', end + 1);
    const std::string part = name.substr(0, end);
    if (H5Lexists(group, part.c_str(), H5P_DEFAULT) <= 0) return false;
    if (H5Oexists_by_name(group, part.c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return true;
}

bool is_long_text(hid_t group, const std::string& name) {
  if (!path_exists(group, name)) return false;
  const hid_t set = H5Dopen2(group, name.c_str(), H5P_DEFAULT);
  if (set < 0) return false;
  const DataSet owned(set, Fault::Data, name);
  const Space space(H5Dget_space(set), Fault::Data, name);
  const Type type(H5Dget_type(set), Fault::Data, name);
  return H5Sget_simple_extent_type(space) == H5S_SCALAR && H5Tget_class(type) == H5T_STRING;
}

}  // namespace internal

using namespace internal;

namespace {

constexpr std::size_t kMostValues = std::size_t{1} << 31;
// Deflate shrinks at most about 1032-fold: a data set that claims more than that is lying.
constexpr std::size_t kMostShrinking = 1100, kAnySmallSet = std::size_t{1} << 20;

std::string quoted(const std::string& name) {
  return "'" + name + "'";
}

std::vector<std::size_t> extents_of(const Space& space, const std::string& what) {
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL)
    throw Error(Fault::Data, what + " has no values");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  return {sizes.begin(), sizes.end()};
}

std::size_t count_of(const std::vector<std::size_t>& shape, const std::string& what) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    if (extent > kMostValues || (count *= extent) > kMostValues)
      throw Error(Fault::Data, what + " is larger than 2^31 values");
  }
  return count;
}

/// A data set or an attribute, opened, with what it says about itself.
struct Stored {
  hid_t id;
  bool is_set;
  Type type;
  std::vector<std::size_t> shape;
  std::size_t count;
  std::string what;

  void read(hid_t memory_type, void* out) const {
    const herr_t code = is_set ? H5Dread(id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out)
                               : H5Aread(id, memory_type, out);
    if (code < 0) fail(Fault::Data, "cannot read " + what);
  }
};

/// Bytes of the open file on the disk, whatever its header claims.
std::uintmax_t size_of_file(hid_t object) {
  char name[4096];
  const ssize_t length = H5Fget_name(object, name, sizeof name);
  std::error_code failed;
  if (length <= 0 || static_cast<std::size_t>(length) >= sizeof name) return 0;
  const std::uintmax_t bytes = std::filesystem::file_size(name, failed);
  return failed ? 0 : bytes;
}

Stored opened_set(const DataSet& set, const std::string& name) {
  const std::string what = "the data set " + quoted(name);
  const Space space(H5Dget_space(set), Fault::Data, "cannot read " + what);
  Stored stored{
      set, true, {H5Dget_type(set), Fault::Data, "cannot read " + what}, extents_of(space, what),
      0,   what};
  stored.count = count_of(stored.shape, what);
  const std::size_t bytes = stored.count * H5Tget_size(stored.type);
  if (bytes > kAnySmallSet &&
      bytes / kMostShrinking >
          std::min<std::uintmax_t>(H5Dget_storage_size(set), size_of_file(set)))
    throw Error(Fault::Data, what + " is larger than what is stored of it");
  return stored;
}

Stored opened_attribute(const Attribute& attribute, const std::string& name) {
  const std::string what = "the attribute " + quoted(name);
  const Space space(H5Aget_space(attribute), Fault::Data, "cannot read " + what);
  Stored stored{attribute,
                false,
                {H5Aget_type(attribute), Fault::Data, "cannot read " + what},
                extents_of(space, what),
                0,
                what};
  stored.count = count_of(stored.shape, what);
  return stored;
}

DataSet open_set(hid_t group, const std::string& name) {
  if (!path_exists(group, name)) throw Error(Fault::Data, "there is no data set " + quoted(name));
  return {H5Dopen2(group, name.c_str(), H5P_DEFAULT), Fault::Data,
          "cannot open the data set " + quoted(name)};
}

Attribute open_attribute(hid_t group, const std::string& name) {
  if (H5Aexists(group, name.c_str()) <= 0)
    throw Error(Fault::Data, "there is no attribute " + quoted(name));
  return {H5Aopen(group, name.c_str(), H5P_DEFAULT), Fault::Data,
          "cannot open the attribute " + quoted(name)};
}

void require_numbers(const Stored& stored, bool whole) {
  const H5T_class_t kind = H5Tget_class(stored.type);
  if (kind != H5T_INTEGER && (whole || kind != H5T_FLOAT))
    throw Error(Fault::Data,
                stored.what + (whole ? " does not hold integers" : " does not hold numbers"));
}

bool is_bytes(const Stored& stored) {
  return H5Tget_class(stored.type) == H5T_INTEGER && H5Tget_size(stored.type) == 1 &&
         H5Tget_sign(stored.type) == H5T_SGN_NONE;
}

template <class T>
std::vector<T> read_numbers(hid_t group, const std::string& name, std::vector<std::size_t>* shape,
                            hid_t memory_type) try {
  const DataSet set = open_set(group, name);
  const Stored stored = opened_set(set, name);
  require_numbers(stored, std::is_integral_v<T>);
  // HDF5 would cut off silently what a byte cannot hold.
  if (sizeof(T) == 1 && !is_bytes(stored))
    throw Error(Fault::Data, stored.what + " does not hold unsigned bytes");
  std::vector<T> values(stored.count);
  if (stored.count > 0) stored.read(memory_type, values.data());
  if (shape) *shape = stored.shape;
  return values;
} catch (const std::bad_alloc&) {
  throw Error(Fault::Data, "the data set " + quoted(name) + " does not fit into memory");
}

std::vector<std::string> read_pointers(const Stored& stored) {
  std::vector<char*> pointers(stored.count, nullptr);
  stored.read(stored.type, pointers.data());
  std::vector<std::string> texts;
  for (const char* text : pointers)
    texts.emplace_back(text ? text : "");
  const hsize_t count = stored.count;
  const Space space(H5Screate_simple(1, &count, nullptr), Fault::Internal, "cannot free texts");
  H5Dvlen_reclaim(stored.type, space, H5P_DEFAULT, pointers.data());
  return texts;
}

std::vector<std::string> read_strings(const Stored& stored) {
  if (H5Tget_class(stored.type) != H5T_STRING)
    throw Error(Fault::Data, stored.what + " does not hold text");
  if (stored.count == 0) return {};
  if (H5Tis_variable_str(stored.type) > 0) return read_pointers(stored);
  const std::size_t width = H5Tget_size(stored.type);
  if (width == 0 || width > kMostValues / stored.count)
    throw Error(Fault::Data, stored.what + " is larger than 2^31 characters");
  const bool ends_at_zero = H5Tget_strpad(stored.type) == H5T_STR_NULLTERM;
  const char pad = H5Tget_strpad(stored.type) == H5T_STR_SPACEPAD ? ' ' : '\0';
  std::string joined(stored.count * width, '\0');
  stored.read(stored.type, joined.data());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < stored.count; ++i) {
    std::string text = joined.substr(i * width, width);
    text.erase(ends_at_zero ? std::min(text.find('\0'), text.size())
                            : text.find_last_not_of(pad) + 1);
    texts.push_back(std::move(text));
  }
  return texts;
}

template <class T>
T read_number(hid_t group, const std::string& name, hid_t memory_type) {
  const Attribute attribute = open_attribute(group, name);
  const Stored stored = opened_attribute(attribute, name);
  require_numbers(stored, std::is_integral_v<T>);
  if (stored.count != 1) throw Error(Fault::Data, stored.what + " is not a single number");
  T value{};
  stored.read(memory_type, &value);
  return value;
}

/// For HDF5's iterators, which are C: nothing may be thrown through them.
template <class Info>
herr_t collect(hid_t, const char* name, const Info*, void* out) noexcept {
  static_cast<std::vector<std::string>*>(out)->emplace_back(name);
  return 0;
}

}  // namespace

Group Group::open(const std::string& name) const {
  if (!path_exists(id_, name)) throw Error(Fault::Data, "there is no group " + quoted(name));
  const hid_t id = H5Gopen2(id_, name.c_str(), H5P_DEFAULT);
  if (id < 0) fail(Fault::Data, "cannot open the group " + quoted(name));
  return Group(id);
}

bool Group::has(const std::string& name) const {
  return path_exists(id_, name);
}

std::vector<std::string> Group::names() const {
  std::vector<std::string> found;
  for (const H5_index_t order : {H5_INDEX_CRT_ORDER, H5_INDEX_NAME}) {
    found.clear();
    // Fails at once where creation order was not tracked (files made by other programs).
    if (H5Literate(id_, order, H5_ITER_INC, nullptr, collect<H5L_info_t>, &found) >= 0)
      return found;
  }
  fail(Fault::Data, "cannot list a group");
}

std::vector<std::string> Group::attribute_names() const {
  std::vector<std::string> found;
  for (const H5_index_t order : {H5_INDEX_CRT_ORDER, H5_INDEX_NAME}) {
    found.clear();
    if (H5Aiterate2(id_, order, H5_ITER_INC, nullptr, collect<H5A_info_t>, &found) < 0) continue;
    for (const std::string& name : names())
      if (is_long_text(id_, name)) found.push_back(name);
    return found;
  }
  fail(Fault::Data, "cannot list the attributes of a group");
}

bool Group::has_attribute(const std::string& name) const {
  return H5Aexists(id_, name.c_str()) > 0 || is_long_text(id_, name);
}

std::string Group::text_attribute(const std::string& name) const {
  std::vector<std::string> texts;
  if (H5Aexists(id_, name.c_str()) <= 0 && is_long_text(id_, name)) {
    const DataSet set = open_set(id_, name);
    texts = read_strings(opened_set(set, name));
  } else {
    const Attribute attribute = open_attribute(id_, name);
    texts = read_strings(opened_attribute(attribute, name));
  }
  if (texts.size() != 1)
    throw Error(Fault::Data, "the attribute " + quoted(name) + " is not a single text");
  return texts.front();
}

double Group::number_attribute(const std::string& name) const {
  return read_number<double>(id_, name, H5T_NATIVE_DOUBLE);
}

std::int64_t Group::integer_attribute(const std::string& name) const {
  return read_number<std::int64_t>(id_, name, H5T_NATIVE_INT64);
}

std::vector<std::size_t> Group::shape(const std::string& name) const {
  const DataSet set = open_set(id_, name);
  return opened_set(set, name).shape;
}

bool Group::holds_bytes(const std::string& name) const {
  const DataSet set = open_set(id_, name);
  return is_bytes(opened_set(set, name));
}

std::vector<double> Group::read(const std::string& name, std::vector<std::size_t>* shape) const {
  return read_numbers<double>(id_, name, shape, H5T_NATIVE_DOUBLE);
}

std::vector<float> Group::read_floats(const std::string& name,
                                      std::vector<std::size_t>* shape) const {
  return read_numbers<float>(id_, name, shape, H5T_NATIVE_FLOAT);
}

std::vector<std::int64_t> Group::read_integers(const std::string& name,
                                               std::vector<std::size_t>* shape) const {
  return read_numbers<std::int64_t>(id_, name, shape, H5T_NATIVE_INT64);
}

std::vector<std::uint8_t> Group::read_bytes(const std::string& name,
                                            std::vector<std::size_t>* shape) const {
  return read_numbers<std::uint8_t>(id_, name, shape, H5T_NATIVE_UINT8);
}

std::vector<std::string> Group::read_texts(const std::string& name) const {
  const DataSet set = open_set(id_, name);
  return read_strings(opened_set(set, name));
}

}  // namespace engram::h5
