#include "fuzzed.h"
#include "ltad/data/dataset.h"

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::put("visa/split_csv/1cls.csv", fuzz::view(data, size));
    static const auto picture = fuzz::put("visa/a", "the listing reads no pictures");
    const DatasetConfig config{.layout = "visa", .root = file.parent_path().parent_path().string()};
    return fuzz::refused_or_read([&] { (void)list_dataset(config); });
}
