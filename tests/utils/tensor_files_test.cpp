// Files of other programs: what they hold, and everything that is wrong with them.
#include "utils/tensor_files.h"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "tests/utils/error_of.h"
#include "tests/utils/tensor_bytes.h"

namespace engram {
namespace {

using testing::bytes_of_text;
using testing::npy;
using testing::raw;
using testing::safetensors;
using testing::zip;

std::string refusal(const std::vector<std::uint8_t>& file) {
  return error_of([&] { read_safetensors(file); }, Fault::Data);
}
/// A header about `data` bytes of zeros.
std::string refusal_of(const std::string& header, std::size_t data) {
  return refusal(safetensors(header, std::string(data, '\0')));
}

TEST(Safetensors, GivesBackNumbersOfEveryTypeInTheOrderOfTheirPlaces) {
  const std::string header = R"({"__metadata__":{"format":"pt"},)"
                             R"("z":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                             R"("d":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},)"
                             R"("steps":{"dtype":"I64","shape":[],"data_offsets":[24,32]},)"
                             R"("h":{"dtype":"F16","shape":[5],"data_offsets":[32,42]},)"
                             R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[42,46]}})";
  const std::string data = raw<float>({1, -2, 0.5f, 3e38f}) + raw<double>({0.25}) +
                           raw<std::int64_t>({9}) +
                           raw<std::uint16_t>({0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00}) +
                           raw<std::uint16_t>({0x3f80, 0xc040});
  const auto tensors = read_safetensors(safetensors(header, data));
  ASSERT_EQ(tensors.size(), 5u);
  EXPECT_EQ(tensors[0].name, "z");
  EXPECT_EQ(tensors[0].shape, (std::vector<std::size_t>{2, 2}));
  EXPECT_EQ(tensors[0].values, (std::vector<float>{1, -2, 0.5f, 3e38f}));
  EXPECT_EQ(tensors[1].values, std::vector<float>{0.25f});
  EXPECT_FALSE(tensors[2].numbers);
  EXPECT_EQ(tensors[3].values, (std::vector<float>{1, -2, std::ldexp(1.f, -24), 65504, HUGE_VALF}));
  EXPECT_EQ(tensors[4].values, (std::vector<float>{1, -3}));
}

TEST(Safetensors, RefusesHeadersThatDoNotFitTheFile) {
  EXPECT_SAYS(refusal({}), "less than 8 bytes");
  EXPECT_SAYS(refusal({1, 2, 3}), "less than 8 bytes");
  const auto whole =
      safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "abcd");
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_THROW(read_safetensors(std::span(whole).first(length)), Error) << length;
  auto huge = whole;
  std::memset(huge.data(), 0xff, 8);
  EXPECT_SAYS(refusal(huge), "does not fit");
  EXPECT_SAYS(refusal(safetensors("{\"a\":", "")), "no JSON");
  EXPECT_SAYS(refusal(safetensors("[1, 2]", "")), "no object");
  EXPECT_SAYS(refusal(safetensors(std::string(100'000, '['), "")), "no JSON");
}

TEST(Safetensors, RefusesTensorsThatOverlapLeaveGapsOrPassTheEnd) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const auto with = [&](const std::string& b, std::size_t data) {
    return refusal_of("{" + a + ",\"b\":" + b + "}", data);
  };
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})", 12), "was expected");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[2],"data_offsets":[12,20]})", 20), "was expected");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[2],"data_offsets":[8,16]})", 12), "the file 12");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[2],"data_offsets":[8,16]})", 20), "the file 20");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[2],"data_offsets":[16,8]})", 16), "offsets are");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[3],"data_offsets":[8,16]})", 16), "needs 12 bytes");
}

TEST(Safetensors, RefusesClaimsThatMakeNoSense) {
  const auto with = [](const std::string& a) { return refusal_of("{\"a\":" + a + "}", 8); };
  EXPECT_SAYS(with(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})"), "F8_E4M3");
  EXPECT_SAYS(with(R"({"dtype":7,"shape":[8],"data_offsets":[0,8]})"),
              "has the dtype that is not text");
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  EXPECT_SAYS(with(R"({"dtype":)" + deep + R"(,"shape":[8],"data_offsets":[0,8]})"), "not text");
  EXPECT_SAYS(with(R"({"shape":[2],"data_offsets":[0,8]})"), "no dtype");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), "whole number");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8.5]})"), "whole number");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})"), "strange shape");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"), "data_offsets");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})"),
              "2^31");
  EXPECT_SAYS(with(R"({"dtype":"F32","shape":[65536,65536,65536,65536],"data_offsets":[0,0]})"),
              "2^31");
  EXPECT_SAYS(with("7"), "not described");
}

TEST(Npz, GivesBackNumbersOfEveryType) {
  const auto file = zip({{"w.weight.npy", npy("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5, 6}))},
                         {"w.bias.npy", npy("<f8", "(1,)", raw<double>({0.5}))},
                         {"half.npy", npy("<f2", "(2,)", raw<std::uint16_t>({0x3c00, 0x8000}))},
                         {"steps.npy", npy("<i8", "()", raw<std::int64_t>({3}))}});
  const auto tensors = read_npz(file);
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_EQ(tensors[0].name, "w.weight");
  EXPECT_EQ(tensors[0].shape, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(tensors[0].values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tensors[1].values, std::vector<float>{0.5f});
  EXPECT_EQ(tensors[2].values, (std::vector<float>{1, -0.f}));
  EXPECT_FALSE(tensors[3].numbers);
}

TEST(Npz, RefusesWhatIsNotAsItClaims) {
  const auto with = [](const std::string& content, const std::string& name = "a.npy") {
    return error_of([&] { read_npz(zip({{name, content}})); }, Fault::Data);
  };
  EXPECT_SAYS(with(npy("<f4", "(3,)", raw<float>({1, 2}))), "needs 12 bytes and has 8");
  EXPECT_SAYS(with(npy("<f4", "(1,)", raw<float>({1, 2}))), "needs 4 bytes and has 8");
  EXPECT_SAYS(with(npy("<f4", "(4294967296, 4294967296)", "")), "2^31");
  EXPECT_SAYS(with(npy("<f4", "(99999999999,)", "")), "strange shape");
  EXPECT_SAYS(with(npy("<c8", "(1,)", raw<float>({1, 2}))), "<c8");
  EXPECT_SAYS(with(npy("|O8", "(1,)", raw<float>({1, 2}))), "strange header");
  EXPECT_SAYS(with(npy("<f4", "(2, 1)", raw<float>({1, 2}), "True")), "Fortran");
  EXPECT_SAYS(with("nothing of NumPy's"), "no array");
  EXPECT_SAYS(with(std::string("\x93NUMPY\x01\x00\xff\xff", 10)), "header of 65535 bytes");
  EXPECT_SAYS(with("", "a.txt"), "no array");
  EXPECT_SAYS(error_of([] { read_npz(bytes_of_text("PK but no zip")); }, Fault::Data), "npz");
  const auto whole = zip({{"a.npy", npy("<f4", "(2,)", raw<float>({1, 2}))}});
  for (std::size_t length = 0; length < whole.size(); length += 7)
    EXPECT_THROW(read_npz(std::span(whole).first(length)), Error) << length;
}

}  // namespace
}  // namespace engram
