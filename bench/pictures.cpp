// Generated pictures with captions, and reading the feature store.
#include <filesystem>
#include <fstream>
#include <memory>

#include <unistd.h>

#include <ATen/ATen.h>

#include "ltad/core/error.h"
#include "ltad/features/store.h"
#include "ltad/synth/pairs.h"
#include "ltad/train/feature_set.h"
#include "work.h"

namespace ltad::bench {
namespace {

constexpr FeatureStore::Shape shape{.channels = 384, .grid = 14, .latent = 640};
constexpr std::size_t count = 10'000, batch = 8;
// Features are alike, so that 10,000 pictures' take the disk's room for 256.
constexpr std::size_t distinct = 256;

/// A finished store for empty "pictures" with real stamps, gone with the program.
class Folder {
public:
    Folder() : path_(std::filesystem::temp_directory_path() / text("ltad-bench-", ::getpid())) {
        std::filesystem::create_directories(path_ / "pictures");
        FeatureStore store = open();
        const at::Tensor map = at::randn({shape.channels * shape.grid * shape.grid}),
                         latent = at::randn({shape.latent});
        const auto values = [](const at::Tensor& t) {
            return std::span(t.const_data_ptr<float>(), static_cast<std::size_t>(t.numel()));
        };
        for (std::size_t first = 0; first < count; first += distinct) {
            FeatureStore::Segment segment(store);
            for (std::size_t i = first; i < std::min(first + distinct, count); ++i) {
                const auto file = path_ / "pictures" / text(i, ".png");
                std::ofstream(file) << i;
                samples_.push_back(
                    {.file = text("pictures/", i, ".png"), .class_name = "c", .defective = false, .mask = {}});
                segment.add(stamp_of(file, true), values(map), values(latent));
            }
            segment.commit();
        }
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] FeatureStore open() const { return {path_ / "features", json("bench"), shape}; }
    [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    static const Folder& shared() {
        static const Folder folder;
        return folder;
    }

private:
    std::filesystem::path path_;
    std::vector<Sample> samples_;
};

/// Opens the finished store and finds that no picture is missing.
Step find_finished() {
    const Folder& folder = Folder::shared();
    return [&folder] {
        const FeatureStore store = folder.open();
        for (const Sample& sample : folder.samples())
            if (!store.contains(stamp_of(folder.path() / sample.file, false))) fail("a picture is missing");
        const FeatureSet set(store, folder.path(), folder.samples(), {{"c", 0}}, at::kCPU);
    };
}

Step read_batches() {
    const Folder& folder = Folder::shared();
    const auto store = std::make_shared<FeatureStore>(folder.open());
    const auto set = std::make_shared<FeatureSet>(*store, folder.path(), folder.samples(),
                                                  std::map<std::string, std::int64_t>{{"c", 0}}, at::kCPU);
    const auto order = std::make_shared<std::vector<std::size_t>>(epoch_order(1, 2, 1, 512));
    return [store, set, order, step = std::int64_t{0}]() mutable {
        const auto [now, next] = batch_indices(*order, step++, batch);
        set->read_ahead(next);
        (void)set->batch(now);
    };
}

/// What people do without a store of their own: a tensor in a file for each picture.
Step read_files() {
    const auto folder = Folder::shared().path() / "tensors";
    std::filesystem::create_directories(folder);
    const std::size_t size = static_cast<std::size_t>(shape.channels * shape.grid * shape.grid) * sizeof(float);
    const auto file = [=](std::size_t i) { return folder / std::to_string(i); };
    for (std::size_t i = 0; i < 512; ++i) {
        const std::vector<char> bytes(size);
        std::ofstream(file(i), std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(size));
    }
    return [=, next = std::size_t{0}]() mutable {
        std::vector<at::Tensor> maps;
        for (std::size_t i = 0; i < batch; ++i) {
            at::Tensor map = at::empty({shape.channels, shape.grid, shape.grid});
            std::ifstream(file(next++ % 512), std::ios::binary)
                .read(reinterpret_cast<char*>(map.mutable_data_ptr<float>()), static_cast<std::streamsize>(size));
            maps.push_back(map);
        }
        (void)at::stack(maps);
    };
}

Step draw(PairSide side) {
    return [key = PairKey{.seed = 1, .side = side}]() mutable {
        (void)draw_pair(key);
        ++key.index;
    };
}

const Register pictures([] {
    add({.name = "read features in batches",
         .unit = "images",
         .items = batch,
         .variants = {{"plain", read_files, {}}, {"ours", read_batches, {}}}});
    add({.name = "find a finished store of 10,000",
         .unit = "stores",
         .variants = {{"ours", find_finished, {}}},
         .threads = {1}});
    add({.name = "draw picture-caption pairs",
         .unit = "images",
         .variants = {{"ours", [] { return draw(PairSide::training); }, {}}},
         .threads = {1}});
    add({.name = "draw picture-caption pairs, held out",
         .unit = "images",
         .variants = {{"ours", [] { return draw(PairSide::held_out); }, {}}},
         .threads = {1}});
});

}  // namespace
}  // namespace ltad::bench
