#include <algorithm>
#include <map>
#include <new>
#include <thread>

#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/json.h"
#include "ltad/core/log.h"
#include "ltad/core/parallel.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"
#include "ltad/data/raster.h"
#include "ltad/data/sample_bits.h"
#include "ltad/split/split.h"

namespace ltad {
namespace {

/// What split.json knows of the data set: root, bits and masks.
DatasetConfig recorded_dataset(const std::filesystem::path& file) {
    DatasetConfig dataset;
    try {
        const json document = read_json(file).at("dataset");
        document.at("root").get_to(dataset.root);
        dataset.bits = document.value("bits", std::int64_t{0});
        dataset.masks = document.value("masks", DatasetConfig().masks);
        return dataset;
    } catch (const json::exception& error) {
        fail(file.string(), ": ", words_of(error));
    }
}

/// What opening a picture has shown.
struct Opened {
    std::string problem;
    std::string sha256;
    int largest = 0;  ///< see DecodedPicture
};

Opened open_picture(const std::filesystem::path& file, int bits) {
    Opened opened;
    try {
        const std::string bytes = read_picture_file(file);
        opened.sha256 = sha256(bytes);
        opened.largest = decode_picture(bytes, file.string(), bits).largest;
    } catch (const Error& error) {
        opened.problem = error.what();
    } catch (const std::bad_alloc&) {
        opened.problem = file.string() + ": there is not enough memory for it";
    }
    return opened;
}

}  // namespace

std::vector<std::string> verify_split(const std::filesystem::path& folder, const std::filesystem::path& root) {
    const Split split = read_split(folder);
    DatasetConfig dataset = recorded_dataset(folder / "split.json");
    const std::filesystem::path base = root.empty() ? std::filesystem::path(dataset.root) : root;
    std::vector<const Sample*> samples;
    for (const Sample& sample : split.train) samples.push_back(&sample);
    for (const Sample& sample : split.test) samples.push_back(&sample);
    std::vector<Opened> opened(samples.size());
    const auto threads = std::max(1u, std::thread::hardware_concurrency());
    for_each_index(samples.size(), threads, [&](std::size_t i) {
        stop_if_interrupted("interrupted while pictures were opened");
        opened[i] = open_picture(base / samples[i]->file, static_cast<int>(dataset.bits));
    });
    std::vector<std::string> problems;
    std::map<std::string, std::string> hashes;
    SampleBits bits;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (!opened[i].problem.empty()) problems.push_back(opened[i].problem);
        hashes[samples[i]->file] = opened[i].sha256;
        bits.add(*samples[i], i < split.train.size(), opened[i].largest);
    }
    dataset.root = base.string();
    for (std::string& problem : problems_of_masks(dataset, split.test, threads)) problems.push_back(std::move(problem));
    warn_of_copies(dataset.root, split, [&](const Sample& sample) { return hashes.at(sample.file); });
    if (dataset.bits == 0)
        for (const std::string& warning : bits.warnings()) log_warning(warning);
    return problems;
}

}  // namespace ltad
