#include "fuzzed.h"
#include "ltad/align/align_model.h"
#include "ltad/core/json.h"

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::put("config.json", fuzz::view(data, size));
    return fuzz::refused_or_read([&] {
        const json document = read_json(file);
        (void)fuzz::refused_or_read([&] { (void)parse_preprocessing(document, "preprocessor_config.json"); });
        (void)parse_align_config(document, "config.json");
    });
}
