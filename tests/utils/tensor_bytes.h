// Files of PyTorch's and NumPy's kind, byte by byte, for tests of their readers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

namespace engram::testing {

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}
inline std::vector<std::uint8_t> bytes_of_text(const std::string& text) {
  return {text.begin(), text.end()};
}

inline std::vector<std::uint8_t> safetensors(const std::string& header, const std::string& data) {
  return bytes_of_text(raw<std::uint64_t>({header.size()}) + header + data);
}

/// An array as NumPy writes it.
inline std::string npy(const std::string& type, const std::string& shape, const std::string& data,
                       const std::string& fortran = "False") {
  const std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\x00", 8) +
         raw<std::uint16_t>({static_cast<std::uint16_t>(header.size())}) + header + data;
}

/// A zip of files with these names and contents.
inline std::vector<std::uint8_t> zip(
    const std::vector<std::pair<std::string, std::string>>& files) {
  std::vector<std::uint8_t> out(1 << 20);
  std::size_t used = 0;
  archive* const a = archive_write_new();
  archive_write_set_format_zip(a);
  EXPECT_EQ(archive_write_open_memory(a, out.data(), out.size(), &used), ARCHIVE_OK);
  for (const auto& [name, content] : files) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    EXPECT_EQ(archive_write_header(a, entry), ARCHIVE_OK);
    archive_write_data(a, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(a);
  archive_write_free(a);
  out.resize(used);
  return out;
}

}  // namespace engram::testing
