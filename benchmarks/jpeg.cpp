#include "benchmarks/jpeg.h"

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // before jpeglib.h, which uses FILE
#include <jpeglib.h>

#include "benchmarks/dataset.h"
#include "utils/error.h"

namespace engram {
namespace {

struct Decoder {
  jpeg_decompress_struct info{};
  jpeg_error_mgr manager{};
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* decoder = static_cast<Decoder*>(info->client_data);
  info->err->format_message(info, decoder->message.data());
  std::longjmp(decoder->jump, 1);
}

/// libjpeg only warns of missing and corrupt data and makes up the rest; we do not learn from that.
void leave_on_warning(j_common_ptr info, int level) {
  if (level < 0) leave(info);
}

/// False with a message when it fails. libjpeg leaves this function by a jump: nothing in it may
/// have a destructor.
bool decode(Decoder& d, std::span<const std::uint8_t> file, const ImageShape& full, int denominator,
            std::span<std::uint8_t> out) {
  if (setjmp(d.jump) != 0) return false;
  jpeg_create_decompress(&d.info);
  jpeg_mem_src(&d.info, file.data(), file.size());
  jpeg_read_header(&d.info, TRUE);
  const JDIMENSION width = d.info.image_width, height = d.info.image_height;
  if (width != static_cast<JDIMENSION>(full.width) ||
      height != static_cast<JDIMENSION>(full.height)) {
    std::snprintf(d.message.data(), d.message.size(),
                  "expected a picture of %dx%d pixels, found %ux%u", full.width, full.height, width,
                  height);
    return false;
  }
  d.info.out_color_space = full.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  d.info.scale_num = 1;
  d.info.scale_denom = static_cast<unsigned>(denominator);
  jpeg_start_decompress(&d.info);
  const std::size_t stride =
      std::size_t{d.info.output_width} * static_cast<std::size_t>(full.channels);
  if (d.info.output_components != full.channels || stride * d.info.output_height != out.size()) {
    std::snprintf(d.message.data(), d.message.size(), "decoded to an unexpected size");
    return false;
  }
  while (d.info.output_scanline < d.info.output_height) {
    JSAMPROW row = out.data() + stride * d.info.output_scanline;
    jpeg_read_scanlines(&d.info, &row, 1);
  }
  jpeg_finish_decompress(&d.info);
  return true;
}

/// As decode(), up to the header.
bool read_header(Decoder& d, std::span<const std::uint8_t> file) {
  if (setjmp(d.jump) != 0) return false;
  jpeg_create_decompress(&d.info);
  jpeg_mem_src(&d.info, file.data(), file.size());
  jpeg_read_header(&d.info, TRUE);
  return true;
}

void prepare(Decoder& d) {
  d.info.err = jpeg_std_error(&d.manager);
  d.info.client_data = &d;
  d.manager.error_exit = leave;
  d.manager.emit_message = leave_on_warning;
}

[[noreturn]] void refuse(const Decoder& d) {
  throw Error(Fault::Data, std::string("not a good JPEG file: ") + d.message.data());
}

}  // namespace

ImageShape jpeg_shape(std::span<const std::uint8_t> file) {
  Decoder d;
  prepare(d);
  const bool good = read_header(d, file);
  const ImageShape shape{static_cast<int>(d.info.image_height),
                         static_cast<int>(d.info.image_width), d.info.num_components == 1 ? 1 : 3};
  jpeg_destroy_decompress(&d.info);
  if (!good) refuse(d);
  return shape;
}

void decode_jpeg(std::span<const std::uint8_t> file, ImageShape full, int denominator,
                 std::span<std::uint8_t> out) {
  ENGRAM_INVARIANT((full.channels == 3 || full.channels == 1) &&
                   out.size() == static_cast<std::size_t>(reduced_shape(full, denominator).size()));
  Decoder d;
  prepare(d);
  const bool good = decode(d, file, full, denominator, out);
  jpeg_destroy_decompress(&d.info);
  if (!good) refuse(d);
}

}  // namespace engram
