#include "embeddings.h"

#include <future>
#include <numeric>
#include <optional>
#include <sstream>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"

namespace ltad {
namespace {

constexpr std::size_t picture_batch = 32;

/// Captions as one tensor of bytes, a line each.
at::Tensor pack(const std::vector<std::string>& captions) {
    std::string all;
    for (const std::string& caption : captions) all += json(caption).dump() + "\n";
    return at::tensor(at::ArrayRef<std::uint8_t>(reinterpret_cast<const std::uint8_t*>(all.data()), all.size()),
                      at::kByte);
}

std::vector<std::string> unpack(const at::Tensor& bytes, const std::string& where) {
    std::istringstream in(std::string(reinterpret_cast<const char*>(bytes.const_data_ptr<std::uint8_t>()),
                                      static_cast<std::size_t>(bytes.numel())));
    std::vector<std::string> captions;
    for (std::string line; std::getline(in, line);) {
        const json caption = json::parse(line, nullptr, false);
        if (!caption.is_string()) fail(where, ": its captions are damaged");
        captions.push_back(caption.get<std::string>());
    }
    return captions;
}

/// Empty where there is no file, another encoder's or other pairs', or a damaged one.
std::optional<PairEmbeddings> read_embeddings(const std::filesystem::path& file, const std::string& settings) {
    if (!std::filesystem::exists(file)) return std::nullopt;
    try {
        Metadata metadata;
        const Weights saved = load_weights(file, &metadata);
        if (metadata["settings"] != settings) return std::nullopt;
        if (!saved.contains("image") || !saved.contains("captions") || saved.at("captions").scalar_type() != at::kByte)
            fail(file.string(), ": it has not the tensors \"image\" and \"captions\"");
        PairEmbeddings found{saved.at("image").clone(), unpack(saved.at("captions"), file.string())};
        if (found.image.dim() != 2 || found.image.size(0) != static_cast<std::int64_t>(found.captions.size()))
            fail(file.string(), ": it has not a row for each caption");
        return found;
    } catch (const Error& error) {
        log_warning(text(error.what(), "; the pairs are encoded again"));
        return std::nullopt;
    }
}

}  // namespace

at::Tensor PairEmbeddings::rows(std::span<const std::size_t> indices) const {
    const std::vector<std::int64_t> wanted(indices.begin(), indices.end());
    return image.index_select(0, at::tensor(wanted));
}

PairEmbeddings embed_once(const PairSource& pairs, const ContrastiveModel& model, const std::filesystem::path& file) {
    const c10::NoGradGuard no_grad;
    const std::string settings =
        json{{"encoder", model.source().image_fingerprint()}, {"pairs", pairs.fingerprint()}}.dump();
    if (std::optional<PairEmbeddings> saved = read_embeddings(file, settings)) return *std::move(saved);
    std::vector<std::size_t> indices(pairs.size());
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    const auto load = [&](std::size_t at) {
        const auto part = std::span(indices).subspan(at, std::min(picture_batch, indices.size() - at));
        return std::async(std::launch::async, [&pairs, part] { return pairs.load(part, 0); });
    };
    PairEmbeddings all;
    std::vector<at::Tensor> parts;
    Progress progress("encode pairs", pairs.size(), "pictures");
    std::future<Pairs> next = load(0);
    for (std::size_t at = 0; at < indices.size(); at += picture_batch) {
        const Pairs batch = next.get();
        if (at + picture_batch < indices.size()) next = load(at + picture_batch);
        parts.push_back(model.embed_pictures(batch.pictures).to(at::kCPU));
        all.captions.insert(all.captions.end(), batch.captions.begin(), batch.captions.end());
        progress.advance(batch.captions.size());
        if (interrupt_requested()) throw Interrupted("interrupted; nothing was trained yet");
    }
    all.image = at::cat(parts);
    save_weights(file, {{"image", all.image}, {"captions", pack(all.captions)}}, {{"settings", settings}});
    return all;
}

}  // namespace ltad
