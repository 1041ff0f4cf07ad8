#include "temporary_store.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "ltad/core/error.h"

namespace ltad::bench {
namespace {

constexpr std::size_t segment_size = 256;

std::filesystem::path new_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ltad-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail(name, ": this folder cannot be made");
    return name;
}

}  // namespace

TemporaryStore::TemporaryStore(std::size_t count, FeatureStore::Shape shape) : shape_(shape), folder_(new_folder()) {
    std::filesystem::create_directories(folder_ / "pictures");
    FeatureStore store = open();
    const std::vector<float> map(static_cast<std::size_t>(shape.channels * shape.grid * shape.grid), 0.5f);
    const std::vector<float> latent(static_cast<std::size_t>(shape.latent), 0.5f);
    for (std::size_t first = 0; first < count; first += segment_size) {
        FeatureStore::Segment segment(store);
        for (std::size_t i = first; i < std::min(first + segment_size, count); ++i) {
            samples_.push_back({.file = text("pictures/", i, ".png"), .class_name = "c", .mask = {}});
            const auto file = folder_ / samples_.back().file;
            std::ofstream(file) << i;
            segment.add(stamp_of(file, true), map, latent);
        }
        segment.commit();
    }
}

TemporaryStore::~TemporaryStore() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

FeatureStore TemporaryStore::open() const { return {folder_ / "features", json("bench"), shape_}; }

FeatureSet TemporaryStore::set(const FeatureStore& store) const {
    return {store, folder_, samples_, {{"c", 0}}, at::kCPU};
}

void TemporaryStore::find_finished() const {
    const FeatureStore store = open();
    for (const Sample& sample : samples_)
        if (!store.contains(stamp_of(folder_ / sample.file, false))) fail(sample.file, ": not in the store");
    const FeatureSet found = set(store);
}

}  // namespace ltad::bench
