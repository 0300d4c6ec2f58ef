// Files that other programs made, put together here with HDF5's own calls.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hdf5.h>

#include "tests/utils/temp_folder.h"
#include "utils/error.h"
#include "utils/h5.h"

namespace engram {
namespace {

using h5::Group;

/// What Error(Data) says when a data set is read.
std::string complaint_about(const std::string& file, const std::string& name) {
  try {
    h5::load(file, [&](const Group& root) { root.read(name); });
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Data);
    return e.what();
  }
  return "nothing was thrown";
}

TEST(ForeignH5, ReadsTextThatOtherProgramsStoreBehindPointers) {
  const TempFolder folder;
  const std::string file = folder / "python.h5";
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  const hsize_t size = 2;
  const hid_t scalar = H5Screate(H5S_SCALAR), pair = H5Screate_simple(1, &size, nullptr);
  const char* const texts[] = {"one", "three"};
  const hid_t attribute = H5Acreate2(id, "who", type, scalar, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, texts);
  const hid_t set = H5Dcreate2(id, "z", type, pair, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts);
  H5Gclose(H5Gcreate2(id, "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Aclose(attribute), H5Dclose(set), H5Sclose(scalar), H5Sclose(pair), H5Tclose(type);
  H5Fclose(id);
  h5::load(file, [](const Group& root) {
    EXPECT_EQ(root.text_attribute("who"), "one");
    EXPECT_EQ(root.read_texts("z"), (std::vector<std::string>{"one", "three"}));
    EXPECT_EQ(root.names(), (std::vector<std::string>{"a", "z"}));  // no order kept: by name
  });
}

TEST(ForeignH5, RefusesADataSetThatClaimsMoreThanItStores) {
  const TempFolder folder;
  const std::string file = folder / "huge.h5";
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t size = 1 << 30, more = hsize_t{1} << 33;
  const hid_t space = H5Screate_simple(1, &size, nullptr);
  const hid_t larger = H5Screate_simple(1, &more, nullptr);
  const auto make = [&](const char* name, hid_t extent) {
    H5Dclose(H5Dcreate2(id, name, H5T_IEEE_F64LE, extent, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  };
  make("x", space), make("y", larger);  // contiguous, never written: nothing is on disk
  H5Sclose(space), H5Sclose(larger), H5Fclose(id);
  EXPECT_NE(complaint_about(file, "x").find("larger than what is stored"), std::string::npos);
  EXPECT_NE(complaint_about(file, "y").find("larger than 2^31"), std::string::npos);
}

TEST(ForeignH5, RefusesADataSetWhoseBytesWereCutOff) {
  const TempFolder folder;
  const std::string file = folder / "cut.h5";
  const hid_t early = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(early, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(early, H5D_FILL_TIME_NEVER);
  const hid_t oldest = H5Pcreate(H5P_FILE_ACCESS);  // its superblock has no checksum
  H5Pset_libver_bounds(oldest, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, oldest);
  H5Pclose(oldest);
  const hsize_t size = hsize_t{1} << 30;  // 8 GB, of which the file system stores nothing
  const hid_t space = H5Screate_simple(1, &size, nullptr);
  H5Dclose(H5Dcreate2(id, "x", H5T_IEEE_F64LE, space, H5P_DEFAULT, early, H5P_DEFAULT));
  H5Sclose(space), H5Pclose(early), H5Fclose(id);
  std::filesystem::resize_file(file, 4096);
  // The superblock says where the file ends, and nothing protects it: that it ends earlier.
  std::string bytes = TempFolder::read(file);
  const std::uint64_t end = 4096;
  bytes.replace(40, sizeof end, reinterpret_cast<const char*>(&end), sizeof end);
  folder.write("cut.h5", bytes);
  EXPECT_NE(complaint_about(file, "x"), "nothing was thrown");
  EXPECT_NE(complaint_about(file, "x").find("larger than what is stored"), std::string::npos)
      << complaint_about(file, "x");
}

}  // namespace
}  // namespace engram
