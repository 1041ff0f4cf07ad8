#include "fuzzed.h"
#include "ltad/core/npy.h"

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::put("features-0.npy", fuzz::view(data, size));
    return fuzz::refused_or_read([&] {
        volatile float sum = 0;
        const NpyFile read(file);
        for (const float value : read.values()) sum = sum + value;
    });
}
