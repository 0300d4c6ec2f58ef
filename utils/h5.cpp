// The writing half of h5::Group. Groups, attributes and small data sets are guarded by HDF5's
// header checksums (file format 1.10), larger data sets by Fletcher's, so damage is noticed when
// reading.
#include "utils/h5.h"

#include <algorithm>

#include <hdf5.h>

#include "utils/error.h"
#include "utils/h5_owners.h"

namespace engram::h5 {
namespace internal {

std::string reason() {
  std::string text;
  const H5E_walk2_t take_first = [](unsigned n, const H5E_error2_t* e, void* out) -> herr_t {
    if (n == 0 && e->desc) *static_cast<std::string*>(out) = e->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &text);
  return text;
}

void fail(Fault fault, const std::string& what) {
  const std::string why = reason();
  throw Error(fault, why.empty() ? what : what + " (HDF5: " + why + ")");
}

Type text_type(std::size_t bytes) {
  Type type(H5Tcopy(H5T_C_S1), Fault::Internal, "cannot make a text type");
  H5Tset_size(type, std::max<std::size_t>(bytes, 1));
  H5Tset_cset(type, H5T_CSET_UTF8);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  return type;
}

Properties properties(hid_t kind) {
  return {H5Pcreate(kind), Fault::Internal, "cannot make a property list"};
}

}  // namespace internal

using namespace internal;

namespace {

constexpr std::size_t kLongestAttribute = 60'000;  // HDF5 allows 64 kB with its own header
constexpr std::size_t kCompactBytes = 16 * 1024;   // inside the header, which has a checksum
constexpr std::size_t kChunkBytes = 16 << 20;      // bounds the copies that checksums need

Space extents(std::span<const std::size_t> shape) {
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  return {sizes.empty() ? H5Screate(H5S_SCALAR)
                        : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
          Fault::Internal, "cannot make a data space"};
}

/// Where the values go: beside the header when few, else in chunks with a checksum.
Properties layout(std::span<const std::size_t> shape, std::size_t bytes, bool compress) {
  Properties list = properties(H5P_DATASET_CREATE);
  H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(list, false);  // the same content gives the same bytes
  if (bytes <= kCompactBytes) {
    H5Pset_layout(list, H5D_COMPACT);
  } else if (!shape.empty()) {
    std::vector<hsize_t> chunk(shape.begin(), shape.end());
    const std::size_t pieces = (bytes + kChunkBytes - 1) / kChunkBytes;
    chunk[0] = (chunk[0] + pieces - 1) / pieces;
    H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data());
    if (compress) H5Pset_shuffle(list), H5Pset_deflate(list, 4);
    H5Pset_fletcher32(list);
  }
  return list;
}

void write_set(hid_t group, const std::string& name, hid_t stored, hid_t given, const void* values,
               std::span<const std::size_t> shape, bool compress) {
  std::size_t count = 1;
  for (const std::size_t extent : shape)
    count *= extent;
  const std::string doing = "cannot write the data set '" + name + "'";
  const Space space = extents(shape);
  const Properties how = layout(shape, count * H5Tget_size(stored), compress);
  const DataSet set(H5Dcreate2(group, name.c_str(), stored, space, H5P_DEFAULT, how, H5P_DEFAULT),
                    Fault::Internal, doing);
  if (count > 0 && H5Dwrite(set, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    fail(Fault::Internal, doing);
}

template <class T>
void write_numbers(hid_t group, const std::string& name, std::span<const T> values,
                   std::span<const std::size_t> shape, hid_t stored, hid_t given) {
  std::size_t count = 1;
  for (const std::size_t extent : shape)
    count *= extent;
  ENGRAM_INVARIANT(count == values.size());
  write_set(group, name, stored, given, values.data(), shape, std::is_integral_v<T>);
}

void write_attribute(hid_t object, const std::string& name, hid_t stored, hid_t given,
                     const void* value, std::span<const std::size_t> shape = {}) {
  const std::string doing = "cannot write the attribute '" + name + "'";
  const Space space = extents(shape);
  const Attribute attribute(
      H5Acreate2(object, name.c_str(), stored, space, H5P_DEFAULT, H5P_DEFAULT), Fault::Internal,
      doing);
  if (H5Awrite(attribute, given, value) < 0) fail(Fault::Internal, doing);
}

/// Texts side by side, each as wide as the longest.
struct Texts {
  explicit Texts(std::span<const std::string> values) {
    for (const std::string& text : values)
      width = std::max(width, text.size());
    joined.assign(values.size() * width, '\0');
    for (std::size_t i = 0; i < values.size(); ++i)
      std::copy(values[i].begin(), values[i].end(), joined.begin() + i * width);
  }
  std::size_t width = 1;
  std::string joined;
};

}  // namespace

Group::Group(Group&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

Group::~Group() {
  if (id_ >= 0) H5Gclose(id_);
}

Group Group::create(const std::string& name) const {
  const Properties how = properties(H5P_GROUP_CREATE);
  H5Pset_link_creation_order(how, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_creation_order(how, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(how, false);
  const hid_t id = H5Gcreate2(id_, name.c_str(), H5P_DEFAULT, how, H5P_DEFAULT);
  if (id < 0) fail(Fault::Internal, "cannot create the group '" + name + "'");
  return Group(id);
}

void Group::attribute(const std::string& name, const std::string& text) const {
  const Type type = text_type(text.size());
  const char* const value = text.empty() ? "\0" : text.data();
  if (text.size() > kLongestAttribute)
    write_set(id_, name, type, type, value, {}, false);
  else
    write_attribute(id_, name, type, type, value);
}

void Group::attribute(const std::string& name, const char* text) const {
  attribute(name, std::string(text));
}

void Group::attribute(const std::string& name, double value) const {
  write_attribute(id_, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

void Group::attribute(const std::string& name, std::int64_t value) const {
  write_attribute(id_, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void Group::write(const std::string& name, std::span<const double> values,
                  std::vector<std::size_t> shape) const {
  write_numbers(id_, name, values, shape, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE);
}

void Group::write(const std::string& name, std::span<const float> values,
                  std::vector<std::size_t> shape) const {
  write_numbers(id_, name, values, shape, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT);
}

void Group::write(const std::string& name, std::span<const std::int64_t> values,
                  std::vector<std::size_t> shape) const {
  write_numbers(id_, name, values, shape, H5T_STD_I64LE, H5T_NATIVE_INT64);
}

void Group::write(const std::string& name, std::span<const std::int32_t> values,
                  std::vector<std::size_t> shape) const {
  write_numbers(id_, name, values, shape, H5T_STD_I32LE, H5T_NATIVE_INT32);
}

void Group::write(const std::string& name, std::span<const std::uint32_t> values,
                  std::vector<std::size_t> shape) const {
  write_numbers(id_, name, values, shape, H5T_STD_U32LE, H5T_NATIVE_UINT32);
}

void Group::write(const std::string& name, std::span<const std::uint8_t> values,
                  std::vector<std::size_t> shape) const {
  write_numbers(id_, name, values, shape, H5T_STD_U8LE, H5T_NATIVE_UINT8);
}

void Group::write_texts(const std::string& name, std::span<const std::string> values) const {
  const Texts texts(values);
  const Type type = text_type(texts.width);
  const std::size_t shape[] = {values.size()};
  write_set(id_, name, type, type, texts.joined.data(), shape, true);
}

void Group::describe(const std::string& dataset, const std::string& attribute,
                     const std::string& text) const {
  const DataSet set(H5Dopen2(id_, dataset.c_str(), H5P_DEFAULT), Fault::Internal,
                    "there is no data set '" + dataset + "' to describe");
  const Type type = text_type(text.size());
  write_attribute(set, attribute, type, type, text.empty() ? "\0" : text.data());
}

void Group::describe(const std::string& dataset, const std::string& attribute,
                     std::span<const std::string> values) const {
  const Texts texts(values);
  if (values.empty() || texts.joined.size() > kLongestAttribute) return;
  const DataSet set(H5Dopen2(id_, dataset.c_str(), H5P_DEFAULT), Fault::Internal,
                    "there is no data set '" + dataset + "' to describe");
  const Type type = text_type(texts.width);
  const std::size_t shape[] = {values.size()};
  write_attribute(set, attribute, type, type, texts.joined.data(), shape);
}

}  // namespace engram::h5
