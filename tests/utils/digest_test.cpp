// Vectors of FIPS 180-4 (NIST's examples "abc", two blocks, one million 'a').
#include "utils/digest.h"

#include <vector>

#include <gtest/gtest.h>

namespace engram {
namespace {

TEST(Digest, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, DoesNotDependOnHowTheBytesArrive) {
  Sha256 pieces;
  pieces.add("a");
  pieces.add("");
  const std::vector<std::uint8_t> rest{'b', 'c'};
  pieces.add(rest);
  EXPECT_EQ(pieces.hex(), sha256("abc"));
}

TEST(Digest, SeesEveryByteValue) {
  std::vector<std::uint8_t> bytes(256);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(sha256(bytes), "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880");
}

TEST(DigestDeathTest, CannotGoOnAfterItsEnd) {
  Sha256 digest;
  digest.hex();
  EXPECT_DEATH(digest.add("more"), "does not hold");
}

}  // namespace
}  // namespace engram
