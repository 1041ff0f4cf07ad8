#include "ltad/features/extract.h"

#include <algorithm>
#include <future>
#include <optional>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/parallel.h"
#include "ltad/core/progress.h"
#include "ltad/data/raster.h"

namespace ltad {
namespace {

constexpr std::size_t segment_size = 256;  // pictures; what a kill can cost at most

/// Decoded pictures and who they are.
struct Batch {
    std::vector<FileStamp> stamps;
    at::Tensor pictures;  ///< [N, H, W, 3] uint8
};

/// `to`: [image_size, image_size, 3].
void resize_into(const Image& image, std::int64_t image_size, std::uint8_t* to) {
    const auto side = static_cast<int>(image_size);
    const Image resized = resize_bilinear(image, side, side);
    std::copy(resized.pixels.begin(), resized.pixels.end(), to);
}

FileStamp load_picture(const std::filesystem::path& path, const FeatureLayout& layout, std::uint8_t* to) {
    FileStamp stamp = stamp_of(path, false);
    const std::string bytes = read_picture_file(path);
    stamp.sha256 = sha256(bytes);
    const DecodedPicture picture = decode_picture(bytes, path.string(), static_cast<int>(layout.bits));
    stamp.width = picture.image.width;
    stamp.height = picture.image.height;
    stamp.largest = picture.largest;
    resize_into(picture.image, layout.image_size, to);
    return stamp;
}

/// With several threads: one takes longer to decode a PNG of 1024 × 1024 than the others to encode it with Lite0.
Batch load_batch(std::span<const std::filesystem::path> files, const FeatureLayout& layout, std::size_t threads) {
    const std::int64_t image_size = layout.image_size;
    Batch batch;
    batch.stamps.resize(files.size());
    batch.pictures = at::empty({static_cast<std::int64_t>(files.size()), image_size, image_size, 3}, at::kByte);
    auto* const pixels = batch.pictures.mutable_data_ptr<std::uint8_t>();
    const auto picture_size = static_cast<std::size_t>(image_size * image_size * 3);
    for_each_index(files.size(), threads,
                   [&](std::size_t i) { batch.stamps[i] = load_picture(files[i], layout, pixels + i * picture_size); });
    return batch;
}

std::vector<std::filesystem::path> missing_from(const FeatureStore& store,
                                                const std::vector<std::filesystem::path>& files,
                                                const HashOf& hash_of) {
    std::vector<std::filesystem::path> missing;
    for (const auto& file : files) {
        FileStamp stamp = stamp_of(file, false);
        if (hash_of) stamp.sha256 = hash_of(file);
        if (!store.contains(stamp)) missing.push_back(file);
    }
    return missing;
}

std::span<const float> row(const at::Tensor& tensor, std::int64_t i) {
    const at::Tensor slice = tensor[i];
    return {slice.const_data_ptr<float>(), static_cast<std::size_t>(slice.numel())};
}

}  // namespace

ExtractedFeatures extract_features(const AlignModel& encoder, const FeatureLayout& layout, const at::Tensor& pictures) {
    const c10::NoGradGuard no_grad;
    const auto encoded = encoder.image().forward(encoder.preprocess(pictures), layout.taps);
    std::vector<at::Tensor> maps;
    for (const at::Tensor& tap : encoded.taps)
        maps.push_back(tap.size(2) == layout.grid && tap.size(3) == layout.grid
                           ? tap
                           : at::upsample_bilinear2d(tap, {layout.grid, layout.grid}, true));
    return {at::cat(maps, 1).contiguous(), encoded.pooled.contiguous()};
}

at::Tensor picture_tensor(const Image& image, std::int64_t image_size) {
    at::Tensor out = at::empty({image_size, image_size, 3}, at::kByte);
    resize_into(image, image_size, out.mutable_data_ptr<std::uint8_t>());
    return out;
}

FeatureStore open_store(const Config& config, const AlignModel& encoder, const FeatureLayout& layout) {
    json settings = {{"version", 1},  // of our own decoding, resizing and tapping
                     {"encoder", encoder.image_fingerprint()},
                     {"taps", layout.taps},
                     {"grid", layout.grid},
                     {"image_size", layout.image_size},
                     {"precision", config.encoder.precision}};
    if (layout.bits > 0) settings["bits"] = layout.bits;
    return {config.features.path,
            settings,
            {.channels = layout.total_channels(), .grid = layout.grid, .latent = layout.latent}};
}

void encode_missing(FeatureStore& store, const AlignModel& encoder, const FeatureLayout& layout,
                    const std::vector<std::filesystem::path>& files, std::int64_t batch_size, const HashOf& hash_of) {
    if (missing_from(store, files, hash_of).empty()) return;
    const FileLock lock(store.lock_file(), "it is encoding pictures into " + store.folder().string());
    store.refresh();  // the other process may have done our work
    store.remove_leftovers();
    const auto missing = missing_from(store, files, hash_of);
    if (missing.empty()) return;

    const std::span<const std::filesystem::path> all(missing);
    const auto per_batch = static_cast<std::size_t>(batch_size);
    const auto threads = static_cast<std::size_t>(at::get_num_threads());
    const auto load = [&](std::size_t at) {
        const auto part = all.subspan(at, std::min(per_batch, all.size() - at));
        return std::async(std::launch::async, load_batch, part, layout, threads);
    };
    log_info(text("encoding ", missing.size(), " pictures into ", store.folder().string()));
    Progress progress("encode", missing.size(), "images");
    std::optional<FeatureStore::Segment> segment;
    std::future<Batch> next = load(0);
    for (std::size_t at = 0; at < missing.size(); at += per_batch) {
        const Batch batch = next.get();
        if (at + per_batch < missing.size()) next = load(at + per_batch);
        const ExtractedFeatures features = extract_features(encoder, layout, batch.pictures);
        const at::Tensor maps = features.maps.to(at::kCPU);
        const at::Tensor latents = features.latents.to(at::kCPU);
        if (!at::isfinite(maps).all().item<bool>() || !at::isfinite(latents).all().item<bool>())
            fail(batch.stamps[0].path, ": the encoder gives values that are not finite for it or its ",
                 batch.stamps.size() - 1, " successors; the weights or preprocessor_config.json are wrong");
        if (!segment) segment.emplace(store);
        for (std::size_t i = 0; i < batch.stamps.size(); ++i)
            segment->add(batch.stamps[i], row(maps, static_cast<std::int64_t>(i)),
                         row(latents, static_cast<std::int64_t>(i)));
        progress.advance(batch.stamps.size());
        const bool last = at + per_batch >= missing.size();
        if (segment->size() >= segment_size || last || interrupt_requested()) {
            segment->commit();
            segment.reset();
        }
        if (interrupt_requested() && !last)
            throw Interrupted("interrupted; the pictures encoded so far are kept, the same command goes on from there");
    }
}

}  // namespace ltad
