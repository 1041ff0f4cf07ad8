#include "fuzzed.h"
#include "ltad/config/load.h"

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::put("config.json", fuzz::view(data, size));
    return fuzz::refused_or_read([&] { (void)load_config(file, {}); });
}
