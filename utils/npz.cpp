// NumPy's .npz: a zip of .npy files, each with a magic, the length of a header, the header (a
// Python dictionary of type, order and shape, as NumPy writes it) and the numbers.
#include <memory>
#include <regex>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "utils/error.h"
#include "utils/tensor_files.h"

namespace engram {
namespace {

constexpr std::size_t kLongestHeader = 1000, kMostBytes = std::size_t{4} << 30;

struct ArchiveFree {
  void operator()(struct archive* a) const { archive_read_free(a); }
};
using Reader = std::unique_ptr<struct archive, ArchiveFree>;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Fault::Data, "not an .npz file: " + why);
}

/// The whole entry that the reader stands at, at most so many bytes. Memory follows what is there,
/// not what an array claims.
std::vector<std::uint8_t> content(struct archive* reader, const std::string& name,
                                  std::size_t most) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  std::vector<std::uint8_t> bytes;
  for (;;) {
    const std::size_t filled = bytes.size();
    bytes.resize(filled + kChunk);
    const auto n = archive_read_data(reader, bytes.data() + filled, kChunk);
    if (n < 0) refuse(fmt::format("{}: {}", name, archive_error_string(reader)));
    bytes.resize(filled + static_cast<std::size_t>(n));
    if (bytes.size() > most) refuse(fmt::format("{}: larger than {} bytes", name, kMostBytes));
    if (n == 0) return bytes;
  }
}

/// Takes the header off the front of an array's file and returns it.
std::string take_header(std::vector<std::uint8_t>& file, const std::string& name) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  const std::size_t prefix = file.size() > 6 && file[6] >= 2 ? 12 : 10;
  if (file.size() < prefix ||
      !std::equal(kMagic.begin(), kMagic.end(), file.begin(),
                  [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }))
    refuse(name + " is no array of NumPy");
  std::size_t length = 0;
  for (std::size_t i = prefix; i-- > 8;)
    length = length << 8 | file[i];
  if (length > kLongestHeader || length > file.size() - prefix)
    refuse(fmt::format("{} has a header of {} bytes", name, length));
  const auto begin = file.begin() + static_cast<std::ptrdiff_t>(prefix);
  const auto end = begin + static_cast<std::ptrdiff_t>(length);
  std::string header(begin, end);
  file.erase(file.begin(), end);
  return header;
}

std::vector<std::size_t> shape_of(const std::string& tuple, const std::string& name) {
  static const std::regex number("[0-9]+");
  std::vector<std::size_t> shape;
  for (std::sregex_iterator i(tuple.begin(), tuple.end(), number), end; i != end; ++i) {
    if (i->length() > 10 || shape.size() == 8) refuse(name + " has a strange shape");
    shape.push_back(std::stoull(i->str()));
  }
  return shape;
}

StoredArray array_of(std::vector<std::uint8_t> file, const std::string& name) {
  static const std::regex dictionary(
      R"(\{'descr': '([<|=>]?[a-zSU][0-9]{1,4})', 'fortran_order': (False|True), )"
      R"('shape': \(([0-9, ]*)\), \} *\n?)");
  const std::string header = take_header(file, name);
  std::smatch found;
  if (!std::regex_match(header, found, dictionary)) refuse(name + " has a strange header");
  StoredArray array{name, found[1], shape_of(found[3], name), std::move(file), found[2] == "True"};
  const std::size_t numbers = checked_elements(array.shape, name);
  const std::size_t digits = array.type.find_first_of("0123456789");
  const std::size_t units = array.type[digits - 1] == 'U' ? 4 : 1;  // of text, four bytes a letter
  const std::size_t bytes = numbers * units * std::stoul(array.type.substr(digits));
  if (array.bytes.size() != bytes)
    refuse(fmt::format("{} needs {} bytes and has {}", name, bytes, array.bytes.size()));
  return array;
}

NamedTensor tensor_of(const StoredArray& array) {
  NamedTensor tensor{array.name, array.shape, {}, true};
  const std::string& type = array.type;
  const bool whole = type.size() == 3 && (type[1] == 'i' || type[1] == 'u');
  if (whole || type == "|b1") return tensor.numbers = false, tensor;
  if (type != "<f2" && type != "<f4" && type != "<f8")
    refuse(fmt::format("{} has the type {}; readable are <f2, <f4 and <f8", array.name, type));
  if (array.fortran && tensor.shape.size() > 1)
    refuse(array.name + " is in Fortran's order; save np.ascontiguousarray of it");
  const NumberType number = type == "<f2"   ? NumberType::Float16
                            : type == "<f4" ? NumberType::Float32
                                            : NumberType::Float64;
  tensor.values = to_floats(number, array.bytes);
  return tensor;
}

}  // namespace

std::vector<StoredArray> read_npz_arrays(std::span<const std::uint8_t> file) {
  const Reader reader(archive_read_new());
  if (!reader) throw Error(Fault::Internal, "libarchive cannot be started");
  archive_read_support_format_zip_seekable(reader.get());
  if (archive_read_open_memory(reader.get(), file.data(), file.size()) != ARCHIVE_OK)
    refuse(archive_error_string(reader.get()));
  std::vector<StoredArray> out;
  std::size_t left = kMostBytes;
  for (archive_entry* entry = nullptr;;) {
    const int code = archive_read_next_header(reader.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    if (code != ARCHIVE_OK) refuse(archive_error_string(reader.get()));
    const char* const path = archive_entry_pathname(entry);
    std::string name = path ? path : "";
    if (!name.ends_with(".npy")) refuse(fmt::format("it holds '{}', which is no array", name));
    name.resize(name.size() - 4);
    auto bytes = content(reader.get(), name, left);
    left -= bytes.size();
    out.push_back(array_of(std::move(bytes), name));
  }
  if (out.empty()) refuse("it holds no array");
  return out;
}

std::vector<NamedTensor> read_npz(std::span<const std::uint8_t> file) {
  std::vector<NamedTensor> out;
  for (const StoredArray& array : read_npz_arrays(file))
    out.push_back(tensor_of(array));
  return out;
}

}  // namespace engram
