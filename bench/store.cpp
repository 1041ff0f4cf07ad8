// The feature store on disk.
#include <fstream>
#include <memory>

#include <ATen/ATen.h>

#include "temporary_store.h"
#include "work.h"

namespace ltad::bench {
namespace {

constexpr FeatureStore::Shape paper{.channels = 384, .grid = 14, .latent = 640};
constexpr std::size_t count = 512, batch = 8;

/// A store that is read in batches.
struct Reading {
    TemporaryStore files{count, paper};
    FeatureStore store = files.open();
    FeatureSet set = files.set(store);
    std::vector<std::size_t> order = epoch_order(1, 2, 1, count);
    std::int64_t step = 0;

    void read() {
        const auto [now, next] = batch_indices(order, step++, batch);
        set.read_ahead(next);
        (void)set.batch(now);
    }
};

Step read_batches() {
    return [r = std::make_shared<Reading>()] { r->read(); };
}

/// What people do without a store: a file of a tensor for each picture.
Step read_files() {
    const auto files = std::make_shared<TemporaryStore>(0, paper);
    constexpr auto bytes =
        static_cast<std::streamsize>(paper.channels * paper.grid * paper.grid) * std::streamsize{sizeof(float)};
    const auto file = [=](std::size_t i) { return files->folder() / std::to_string(i); };
    for (std::size_t i = 0; i < count; ++i)
        std::ofstream(file(i), std::ios::binary).write(std::string(bytes, '\1').data(), bytes);
    return [=, next = std::size_t{0}]() mutable {
        std::vector<at::Tensor> maps;
        for (std::size_t i = 0; i < batch; ++i) {
            at::Tensor map = at::empty({paper.channels, paper.grid, paper.grid});
            std::ifstream(file(next++ % count), std::ios::binary)
                .read(reinterpret_cast<char*>(map.mutable_data_ptr<float>()), bytes);
            maps.push_back(map);
        }
        (void)at::stack(maps);
    };
}

/// Small features: what this takes does not depend on their size.
Step find_finished() {
    constexpr FeatureStore::Shape small{.channels = 8, .grid = 2, .latent = 8};
    return [store = std::make_shared<TemporaryStore>(10'000, small)] { store->find_finished(); };
}

}  // namespace

std::vector<Work> store_works() {
    return {{.name = "read features in batches",
             .unit = "images",
             .items = batch,
             .variants = {{"plain", read_files, {}}, {"ours", read_batches, {}}}},
            {.name = "find a finished store of 10,000",
             .unit = "stores",
             .variants = {{"ours", find_finished, {}}},
             .threads = {1}}};
}

}  // namespace ltad::bench
