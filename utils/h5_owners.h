// For h5*.cpp only: ids that close themselves, and HDF5's own words for what went wrong.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <hdf5.h>

#include "utils/error.h"

namespace engram::h5::internal {

/// The innermost message on HDF5's error stack, or "" when it is silent.
std::string reason();
[[noreturn]] void fail(Fault fault, const std::string& what);

/// Owns one id. The closer is part of the type, so a data set cannot be closed as a group.
template <herr_t (*Close)(hid_t)>
class Owner {
 public:
  Owner(hid_t id, Fault fault, const std::string& what) : id_(id) {
    if (id < 0) fail(fault, what);
  }
  Owner(Owner&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Owner& operator=(Owner&&) = delete;
  ~Owner() {
    if (id_ >= 0) Close(id_);
  }
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor)

 private:
  hid_t id_;
};

using File = Owner<H5Fclose>;
using Space = Owner<H5Sclose>;
using DataSet = Owner<H5Dclose>;
using Attribute = Owner<H5Aclose>;
using Type = Owner<H5Tclose>;
using Properties = Owner<H5Pclose>;

Properties properties(hid_t kind);
/// Text is stored with its length, not behind a pointer: a damaged file cannot lead astray.
Type text_type(std::size_t bytes);
/// True when `name` is a scalar data set of text, standing in for a long attribute.
bool is_long_text(hid_t group, const std::string& name);
/// True when every step of the path leads somewhere.
bool path_exists(hid_t group, const std::string& name);

}  // namespace engram::h5::internal
