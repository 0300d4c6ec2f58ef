// safetensors: the length of a header (8 bytes), the header (JSON: name -> dtype, shape and where
// in the rest), the rest. Tensors must fill the rest without gaps and overlaps, as the format asks.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "utils/error.h"
#include "utils/tensor_files.h"

namespace engram {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLongestHeader = 100'000'000;  // what the reference reader allows

struct Type {
  const char* name;
  std::size_t bytes;
  bool numbers;
  NumberType type;
};
constexpr Type kTypes[] = {
    {"F16", 2, true, NumberType::Float16},   {"BF16", 2, true, NumberType::BFloat16},
    {"F32", 4, true, NumberType::Float32},   {"F64", 8, true, NumberType::Float64},
    {"I64", 8, false, NumberType::Float32},  {"I32", 4, false, NumberType::Float32},
    {"I16", 2, false, NumberType::Float32},  {"I8", 1, false, NumberType::Float32},
    {"U64", 8, false, NumberType::Float32},  {"U32", 4, false, NumberType::Float32},
    {"U16", 2, false, NumberType::Float32},  {"U8", 1, false, NumberType::Float32},
    {"BOOL", 1, false, NumberType::Float32},
};

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Fault::Data, "not a safetensors file: " + why);
}

/// A tensor as the header has it.
struct Claim {
  NamedTensor tensor;
  NumberType type = NumberType::Float32;
  std::uint64_t begin = 0, end = 0;
};

std::uint64_t whole_number(const Json& json, const std::string& what) {
  if (!json.is_number_unsigned()) refuse(what + " is not a whole number from 0 on");
  return json.get<std::uint64_t>();
}

const Json& member(const Json& entry, const char* key, const std::string& name) {
  const auto found = entry.find(key);
  if (found == entry.end()) refuse(fmt::format("'{}' has no {}", name, key));
  return *found;
}

Claim claim_of(const std::string& name, const Json& entry) {
  if (!entry.is_object()) refuse(fmt::format("'{}' is not described by an object", name));
  Claim claim;
  claim.tensor.name = name;
  const Json& dtype = member(entry, "dtype", name);
  const auto* const known = std::ranges::find_if(kTypes, [&](const Type& t) {
    return dtype.is_string() && dtype.get<std::string>() == t.name;
  });
  if (known == std::end(kTypes))
    refuse(fmt::format("'{}' has the dtype {}; readable are F16, BF16, F32 and F64", name,
                       dtype.is_string()
                           ? dtype.dump(-1, ' ', true, Json::error_handler_t::replace)
                           : "that is not text"));  // printing what is nested deeply would recurse
  claim.type = known->type, claim.tensor.numbers = known->numbers;

  const Json& shape = member(entry, "shape", name);
  if (!shape.is_array() || shape.size() > 8) refuse(fmt::format("'{}' has a strange shape", name));
  for (const Json& extent : shape)
    claim.tensor.shape.push_back(whole_number(extent, fmt::format("an extent of '{}'", name)));
  const Json& places = member(entry, "data_offsets", name);
  if (!places.is_array() || places.size() != 2)
    refuse(fmt::format("'{}' has no two data_offsets", name));
  claim.begin = whole_number(places[0], fmt::format("an offset of '{}'", name));
  claim.end = whole_number(places[1], fmt::format("an offset of '{}'", name));
  const std::size_t bytes = checked_elements(claim.tensor.shape, "'" + name + "'") * known->bytes;
  if (claim.end < claim.begin || claim.end - claim.begin != bytes)
    refuse(fmt::format("'{}' needs {} bytes, but its offsets are {} and {}", name, bytes,
                       claim.begin, claim.end));
  return claim;
}

Json header_of(std::span<const std::uint8_t> text) {
  try {
    Json header = Json::parse(text.begin(), text.end());
    if (!header.is_object()) refuse("its header is no object");
    return header;
  } catch (const Json::exception& e) {
    refuse(fmt::format("its header is no JSON ({})", e.what()));
  }
}

}  // namespace

std::vector<NamedTensor> read_safetensors(std::span<const std::uint8_t> file) {
  if (file.size() < 8) refuse("it has less than 8 bytes");
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i)
    length |= static_cast<std::uint64_t>(file[i]) << (8 * i);
  if (length > kLongestHeader || length > file.size() - 8)
    refuse(fmt::format("its header of {} bytes does not fit into {} bytes", length, file.size()));
  const Json header = header_of(file.subspan(8, length));
  const auto data = file.subspan(8 + length);

  std::vector<Claim> claims;
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") claims.push_back(claim_of(name, entry));
  std::ranges::stable_sort(claims, [](const Claim& a, const Claim& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t filled = 0;
  for (const Claim& claim : claims) {
    if (claim.begin != filled)
      refuse(fmt::format("'{}' begins at byte {} of the data, where {} was expected",
                         claim.tensor.name, claim.begin, filled));
    filled = claim.end;
  }
  if (filled != data.size())
    refuse(fmt::format("its tensors have {} bytes, the file {}", filled, data.size()));

  std::vector<NamedTensor> out;
  for (Claim& claim : claims) {
    if (claim.tensor.numbers)
      claim.tensor.values =
          to_floats(claim.type, data.subspan(claim.begin, claim.end - claim.begin));
    out.push_back(std::move(claim.tensor));
  }
  return out;
}

}  // namespace engram
