#include "fuzzed.h"
#include "ltad/align/torch_file.h"

#include <ATen/ATen.h>

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::put("model.pth", fuzz::view(data, size));
    return fuzz::refused_or_read([&] {
        for (const auto& [name, tensor] : load_torch_weights(file)) (void)tensor.to(at::kDouble).sum().item<double>();
    });
}
