// JPEG files for tests, written with libjpeg.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <jpeglib.h>

#include "tests/benchmarks/helpers.h"
#include "utils/shape.h"

namespace engram {

/// A JPEG picture of one colour, or of one grey (the first number) when `shape` has one channel.
inline Bytes jpeg(std::array<int, 3> colour, ImageShape shape) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(shape.width);
  info.image_height = static_cast<JDIMENSION>(shape.height);
  info.input_components = shape.channels;
  info.in_color_space = shape.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 98, TRUE);
  jpeg_start_compress(&info, TRUE);
  Bytes line;
  for (int x = 0; x < shape.width; ++x)
    for (int c = 0; c < shape.channels; ++c)
      line.push_back(static_cast<std::uint8_t>(colour[static_cast<std::size_t>(c)]));
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = line.data();
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  Bytes out(memory, memory + size);
  jpeg_destroy_compress(&info);
  std::free(memory);
  return out;
}

}  // namespace engram
