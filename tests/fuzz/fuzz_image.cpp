#include "fuzzed.h"
#include "ltad/data/image.h"

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::refused_or_read([&] {
        const Image image = decode_image(fuzz::view(data, size), "fuzzed");
        (void)resize_bilinear(image, 16, 16);
    });
}
