#include "ltad/pretrain/held_out.h"

#include <numeric>
#include <set>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/eval/roc.h"
#include "ltad/synth/pairs.h"
#include "pair_source.h"
#include "pictures.h"

namespace ltad {
namespace {

constexpr std::size_t picture_batch = 32;
constexpr std::size_t candidates = 100;

/// The end of a small set is nearer than an answer to a Ctrl-C.
void stop_if_asked(bool much_is_left) {
    if (much_is_left && interrupt_requested()) throw Interrupted("interrupted while measuring; --resume goes on");
}

/// Each pair goes into the first group that lacks its meaning and is not full; groups that stay short are left out, all
/// but the first.
std::vector<std::vector<std::int64_t>> groups_of(const std::vector<std::string>& meanings) {
    std::vector<std::vector<std::int64_t>> groups;
    std::vector<std::set<std::string>> seen;
    for (std::size_t i = 0; i < meanings.size(); ++i) {
        std::size_t g = 0;
        while (g < groups.size() && (groups[g].size() == candidates || seen[g].contains(meanings[i]))) ++g;
        if (g == groups.size()) {
            groups.emplace_back();
            seen.emplace_back();
        }
        groups[g].push_back(static_cast<std::int64_t>(i));
        seen[g].insert(meanings[i]);
    }
    while (groups.size() > 1 && groups.back().size() < groups.front().size()) groups.pop_back();
    return groups;
}

}  // namespace

Recall recall_at_1(const at::Tensor& image, const at::Tensor& text, const std::vector<std::string>& meanings) {
    const auto groups = groups_of(meanings);
    Recall recall;
    for (const auto& group : groups) {
        const at::Tensor rows = at::tensor(group).to(image.device());
        const at::Tensor similarity =
            at::matmul(unit_rows(image.index_select(0, rows)), unit_rows(text.index_select(0, rows)).t());
        const at::Tensor own = at::arange(similarity.size(0), rows.options());
        recall.image_to_text += similarity.argmax(1).eq(own).to(at::kDouble).mean().item<double>();
        recall.text_to_image += similarity.argmax(0).eq(own).to(at::kDouble).mean().item<double>();
    }
    const auto count = static_cast<double>(groups.size());
    recall.candidates = groups.empty() ? 0 : static_cast<std::int64_t>(groups.front().size());
    recall.image_to_text /= std::max(count, 1.0);
    recall.text_to_image /= std::max(count, 1.0);
    return recall;
}

std::optional<double> HeldOutMeasures::mean_auroc() const {
    if (zero_shot.empty()) return std::nullopt;
    double sum = 0;
    for (const ZeroShot& z : zero_shot) sum += z.auroc;
    return sum / static_cast<double>(zero_shot.size());
}

json HeldOutMeasures::to_json() const {
    const auto recall = [](const Recall& r) {
        return json{{"candidates", r.candidates},
                    {"image_to_text_recall_at_1", r.image_to_text},
                    {"text_to_image_recall_at_1", r.text_to_image}};
    };
    json out = {{"new_pictures", recall(new_pictures)}};
    if (new_classes) out["new_classes"] = recall(*new_classes);
    if (const auto mean = mean_auroc()) {
        out["zero_shot_auroc"] = *mean;
        for (const ZeroShot& z : zero_shot) out["zero_shot_auroc_by_class"][z.name] = z.auroc;
    }
    return out;
}

HeldOut::HeldOut(const PretrainConfig& config) : config_(config) {
    (void)open_pairs(config, PairUse::new_pictures);  // what is wrong with them is said before anything is trained
    if (config.pairs.list.empty()) subjects_ = pair_subjects(PairSide::held_out);
}

HeldOut::Embedded HeldOut::embed_pairs(const ContrastiveModel& model, const PairSource& source) {
    Embedded all;
    std::vector<at::Tensor> parts;
    std::vector<std::size_t> indices(source.size());
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    for (std::size_t i = 0; i < indices.size(); i += picture_batch) {
        const Pairs pairs = source.load(std::span(indices).subspan(i, std::min(picture_batch, indices.size() - i)), 0);
        stop_if_asked(i + picture_batch < indices.size());
        parts.push_back(model.embed_pictures(pairs.pictures));
        all.captions.insert(all.captions.end(), pairs.captions.begin(), pairs.captions.end());
        all.meanings.insert(all.meanings.end(), pairs.meanings.begin(), pairs.meanings.end());
    }
    all.image = at::cat(parts);
    return all;
}

at::Tensor HeldOut::embed_class(const ContrastiveModel& model, std::size_t subject) const {
    const auto each = static_cast<std::size_t>(config_.held_out.pictures_per_class);
    const auto size = static_cast<int>(config_.pairs.image_size);
    const std::vector<std::string> defects = pair_defects(PairSide::held_out, subject);
    std::vector<at::Tensor> parts;
    for (std::size_t start = 0; start < 2 * each; start += picture_batch) {
        const at::Tensor pictures =
            make_pictures(std::min(picture_batch, 2 * each - start), size, [&](std::size_t offset) {
                const std::size_t i = start + offset;
                // Beyond the indices of the pairs: other specimens than theirs.
                const auto index = config_.held_out.pairs + static_cast<std::int64_t>(i);
                const PairKey key{.seed = config_.seed, .side = PairSide::held_out, .index = index, .size = size};
                return draw_pair_of(key, subject, i < each ? "" : defects[i % defects.size()]).image;
            });
        stop_if_asked(start + picture_batch < 2 * each);
        parts.push_back(model.embed_pictures(pictures));
    }
    return at::cat(parts);
}

void HeldOut::embed(const ContrastiveModel& model) {
    if (embedded_ && model.image_frozen()) return;
    log_info("encoding pictures that training does not show");
    new_pictures_ = embed_pairs(model, *open_pairs(config_, PairUse::new_pictures));
    classes_.clear();
    for (std::size_t s = 0; s < subjects_.size(); ++s) classes_.push_back(embed_class(model, s));
    if (!subjects_.empty()) new_classes_ = embed_pairs(model, *open_pairs(config_, PairUse::new_classes));
    embedded_ = true;
}

Recall HeldOut::recall_of(const ContrastiveModel& model, const Embedded& pairs) {
    return recall_at_1(pairs.image, model.embed_texts(pairs.captions), pairs.meanings);
}

HeldOutMeasures HeldOut::measure(const ContrastiveModel& model) {
    const c10::NoGradGuard no_grad;
    embed(model);
    HeldOutMeasures measures;
    measures.new_pictures = recall_of(model, new_pictures_);
    if (new_classes_) measures.new_classes = recall_of(model, *new_classes_);
    const auto each = static_cast<std::size_t>(config_.held_out.pictures_per_class);
    std::vector<std::uint8_t> labels(2 * each, 0);
    std::fill(labels.begin() + static_cast<std::ptrdiff_t>(each), labels.end(), std::uint8_t{1});
    for (std::size_t s = 0; s < subjects_.size(); ++s) {
        const at::Tensor text = unit_rows(model.embed_texts({"a " + subjects_[s], "a broken " + subjects_[s]}));
        const at::Tensor score =
            at::matmul(unit_rows(classes_[s]), text[1] - text[0]).to(at::kCPU, at::kFloat).contiguous();
        const auto area = auroc({score.const_data_ptr<float>(), labels.size()}, labels);
        measures.zero_shot.push_back({subjects_[s], area.value_or(0.5)});
    }
    return measures;
}

}  // namespace ltad
