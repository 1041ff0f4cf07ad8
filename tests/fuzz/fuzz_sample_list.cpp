#include "fuzzed.h"
#include "ltad/data/dataset.h"

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::put("train.jsonl", fuzz::view(data, size));
    return fuzz::refused_or_read([&] { (void)format_sample_list(read_sample_list(file)); });
}
