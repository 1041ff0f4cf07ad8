#include "pair_source.h"

#include <numeric>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/lines.h"
#include "ltad/data/image.h"
#include "ltad/synth/pairs.h"
#include "pictures.h"

namespace ltad {
namespace {

class GeneratedPairs final : public PairSource {
public:
    GeneratedPairs(const PretrainConfig& config, PairUse use)
        : seed_(config.seed),
          count_(use == PairUse::training ? config.pairs.count : config.held_out.pairs),
          first_(use == PairUse::new_pictures ? beyond_training : 0),
          size_(static_cast<int>(config.pairs.image_size)),
          side_(use == PairUse::new_classes ? PairSide::held_out : PairSide::training) {}

    [[nodiscard]] std::size_t size() const override { return static_cast<std::size_t>(count_); }

    [[nodiscard]] Pairs load(std::span<const std::size_t> indices, std::int64_t epoch) const override {
        Pairs pairs{{}, std::vector<std::string>(indices.size()), std::vector<std::string>(indices.size())};
        pairs.pictures = make_pictures(indices.size(), size_, [&](std::size_t i) {
            const auto index = first_ + epoch * count_ + static_cast<std::int64_t>(indices[i]);
            CaptionedPicture drawn = draw_pair({.seed = seed_, .side = side_, .index = index, .size = size_});
            pairs.captions[i] = std::move(drawn.caption);
            pairs.meanings[i] = drawn.subject + (drawn.defect.empty() ? "" : ", broken");
            return std::move(drawn.image);
        });
        return pairs;
    }

    [[nodiscard]] json settings() const override {
        return {{"source", "generated"}, {"version", 1}, {"seed", seed_}, {"count", count_}, {"image_size", size_}};
    }

private:
    /// Training takes `count` pictures an epoch, from 0 on, and never gets here.
    static constexpr std::int64_t beyond_training = std::int64_t{1} << 60;

    std::int64_t seed_;
    std::int64_t count_;
    std::int64_t first_;
    int size_;
    PairSide side_;
};

struct ListedPair {
    std::filesystem::path image;
    std::string caption;
};

std::vector<ListedPair> read_list(const std::filesystem::path& file) {
    std::vector<ListedPair> pairs;
    std::size_t number = 0;
    for (const std::string& line : text_lines(read_file(file), file.string())) {
        ++number;
        if (line.find_first_not_of(" \t") == std::string::npos) continue;
        const json item = json::parse(line, nullptr, false);
        const auto get = [&](const char* key) {
            if (!item.is_object() || !item.contains(key) || !item[key].is_string() ||
                item[key].get<std::string>().empty())
                fail(file.string(), ":", number, R"(: {"image": "path", "text": "caption"} was expected, found: )",
                     line.substr(0, 80));
            return item[key].get<std::string>();
        };
        pairs.push_back({file.parent_path() / get("image"), get("text")});
        if (!std::filesystem::is_regular_file(pairs.back().image))
            fail(file.string(), ":", number, ": no picture ", pairs.back().image.string());
    }
    return pairs;
}

class ListedPairs final : public PairSource {
public:
    ListedPairs(const PretrainConfig& config, bool held_out)
        : file_(config.pairs.list), image_size_(config.pairs.image_size) {
        const std::vector<ListedPair> all = read_list(file_);
        for (const ListedPair& pair : all) files_.push_back(pair.image);
        files_.emplace_back(file_);
        const auto every = static_cast<std::size_t>(config.pairs.held_out_every);
        for (std::size_t i = 0; i < all.size(); ++i)
            if ((i % every == every - 1) == held_out) pairs_.push_back(all[i]);
        if (pairs_.size() < 2)
            fail(file_.string(), ": of its ", all.size(), " pairs ", pairs_.size(), held_out ? " are" : " are not",
                 " held out (pairs.held_out_every = ", every, "); at least 2 are needed");
        settings_ = {{"source", sha256_file(file_)}, {"held_out_every", every}, {"image_size", image_size_}};
    }

    [[nodiscard]] std::size_t size() const override { return pairs_.size(); }

    [[nodiscard]] Pairs load(std::span<const std::size_t> indices, std::int64_t) const override {
        Pairs pairs;
        for (const std::size_t i : indices) pairs.captions.push_back(pairs_[i].caption);
        const auto side = static_cast<int>(image_size_);
        pairs.meanings = pairs.captions;
        pairs.pictures = make_pictures(indices.size(), side, [&](std::size_t i) {
            return resize_bilinear(read_image(pairs_[indices[i]].image), side, side);
        });
        return pairs;
    }

    [[nodiscard]] json settings() const override { return settings_; }
    [[nodiscard]] std::vector<std::filesystem::path> files() const override { return files_; }

    [[nodiscard]] std::string fingerprint() const override {
        Sha256 all;
        all.update(settings_.dump());
        for (const ListedPair& pair : pairs_) all.update(sha256_file(pair.image));
        return all.hex();
    }

private:
    std::filesystem::path file_;
    std::int64_t image_size_;
    std::vector<ListedPair> pairs_;
    std::vector<std::filesystem::path> files_;
    json settings_;
};

}  // namespace

std::unique_ptr<PairSource> open_pairs(const PretrainConfig& config, PairUse use) {
    if (config.pairs.list.empty()) return std::make_unique<GeneratedPairs>(config, use);
    if (use == PairUse::new_classes) fail(config.pairs.list, ": a list says nothing of classes");
    return std::make_unique<ListedPairs>(config, use == PairUse::new_pictures);
}

}  // namespace ltad
