// Files are put together in memory and written in one go: HDF5 then never meets a full disk, after
// which it can neither write nor close a file.
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <hdf5.h>

#include "utils/error.h"
#include "utils/files.h"
#include "utils/h5.h"
#include "utils/h5_owners.h"

namespace engram::h5 {
namespace fs = std::filesystem;
using namespace internal;

namespace {

void silence() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // per thread
}

/// The memory in which HDF5 builds a file. HDF5 gives it up when it closes the file; we keep it.
/// (H5Fget_file_image of 1.10.8 leaves a wrong checksum in the superblock.)
struct Image {
  void* memory = nullptr;
  std::size_t size = 0;
  ~Image() { std::free(memory); }
};

void* image_malloc(std::size_t size, H5FD_file_image_op_t, void* udata) {
  auto& image = *static_cast<Image*>(udata);
  std::free(image.memory);
  return image.size = size, image.memory = std::malloc(size);
}

void* image_realloc(void*, std::size_t size, H5FD_file_image_op_t, void* udata) {
  auto& image = *static_cast<Image*>(udata);
  void* const moved = std::realloc(image.memory, size);
  if (moved) image.memory = moved, image.size = size;
  return moved;
}

void* image_memcpy(void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
  return std::memcpy(to, from, size);
}

herr_t image_free(void*, H5FD_file_image_op_t, void*) {
  return 0;
}
void* keep_udata(void* udata) {
  return udata;
}
herr_t leave_udata(void*) {
  return 0;
}

Properties access_in_memory(Image& image) {
  constexpr std::size_t kGrowth = 512;
  H5FD_file_image_callbacks_t callbacks{image_malloc, image_memcpy, image_realloc, image_free,
                                        keep_udata,   leave_udata,  &image};
  Properties access = properties(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, kGrowth, false);
  H5Pset_file_image_callbacks(access, &callbacks);
  // The first format that has checksums everywhere: 1.8 finds chunks through an unguarded tree, and
  // a chunk that is not found reads as zeros.
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  return access;
}

void check_readable(const fs::path& file) {
  std::error_code why;
  const fs::file_status status = fs::status(file, why);
  if (status.type() == fs::file_type::not_found)
    throw Error(Fault::MissingInput, "there is no file '" + file.string() + "'");
  if (why) throw Error(Fault::Io, "cannot read '" + file.string() + "': " + why.message());
  if (status.type() != fs::file_type::regular)
    throw Error(Fault::Data, "'" + file.string() + "' is not a file");
}

/// What leaves `body` says of which file it speaks.
template <class Body>
void reading(const fs::path& file, const Body& body) {
  try {
    body();
  } catch (const Error& e) {
    const std::string what = e.what();
    if (what.starts_with(file.string())) throw;  // who reads its content has said so
    throw Error(e.fault(), "reading '" + file.string() + "': " + what);
  }
}

}  // namespace

void save(const fs::path& file, const std::function<void(const Group&)>& fill) {
  silence();
  Image image;
  during("writing '" + file.string() + "'", [&] {
    const Properties access = access_in_memory(image);
    const Properties creation = properties(H5P_FILE_CREATE);
    H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_obj_track_times(creation, false);
    const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, creation, access);
    {
      const File opened(id, Fault::Internal, "cannot start a file in memory");
      fill(Group(H5Gopen2(opened, "/", H5P_DEFAULT)));
      if (H5Fflush(opened, H5F_SCOPE_GLOBAL) < 0) fail(Fault::Internal, "cannot complete the file");
    }
    ENGRAM_INVARIANT(image.memory != nullptr);
  });
  save_text(file, {static_cast<const char*>(image.memory), image.size});
}

void load(const fs::path& file, const std::function<void(const Group&)>& use) {
  silence();
  check_readable(file);
  reading(file, [&] {
    const Properties access = properties(H5P_FILE_ACCESS);
    H5Pset_file_locking(access, true, true);  // network file systems may have none
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    const htri_t known = H5Fis_hdf5(file.c_str());
    if (known == 0) throw Error(Fault::Data, "it is not an HDF5 file");
    const File opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access),
                      known > 0 ? Fault::Data : Fault::Io,
                      known > 0 ? "the file is damaged or cut short" : "cannot open it");
    const hid_t root = H5Gopen2(opened, "/", H5P_DEFAULT);
    if (root < 0) fail(Fault::Data, "the file is damaged");
    use(Group(root));
  });
}

}  // namespace engram::h5
