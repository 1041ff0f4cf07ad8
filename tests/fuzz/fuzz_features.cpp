#include "fuzzed.h"
#include "ltad/features/store.h"

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The index of a segment whose arrays are sound.
    const json settings = {{"fuzzed", true}};
    const FeatureStore empty(fuzz::put("features/root", "").parent_path(), settings,
                             {.channels = 1, .grid = 1, .latent = 1});
    const std::string folder = "features/" + empty.folder().filename().string();
    static const bool made = [&] {
        for (const auto& [name, shape] :
             {std::pair("features-0.npy", std::vector<std::int64_t>{1, 1, 1}), {"latents-0.npy", {1}}}) {
            NpyWriter writer(empty.folder() / name, shape);
            writer.append(std::vector<float>{1});
            writer.commit();
        }
        return true;
    }();
    if (!made) return 0;
    (void)fuzz::put(folder + "/index-0.json", fuzz::view(data, size));
    return fuzz::refused_or_read([&] {
        FeatureStore store(empty.folder().parent_path(), settings, {.channels = 1, .grid = 1, .latent = 1});
        (void)store.verify();
    });
}
