#include "ltad/core/error.h"
#include "schema.h"

namespace ltad {

void visit_fields(PretrainConfig& c, FieldVisitor& v) {
    constexpr NumberRange non_negative{};
    constexpr NumberRange positive{.above_min = true};
    v.field("name", c.name);
    v.field("seed", c.seed, {.min = 0, .max = std::numeric_limits<std::int64_t>::max()});
    v.field("device", c.device, {"auto", "cpu", "cuda"});
    v.field("threads", c.threads, {.min = 0, .max = 4096});
    v.field("checkpoint_seconds", c.checkpoint_seconds, non_negative);
    v.field("model", c.model);
    v.section("pairs", [&] {
        v.field("list", c.pairs.list);
        v.field("count", c.pairs.count, {.min = 2, .max = 100'000'000});
        v.field("image_size", c.pairs.image_size, {.min = 32, .max = 4096});
        v.field("held_out_every", c.pairs.held_out_every, {.min = 2});
    });
    v.section("contrastive", [&] {
        v.field("image_tower", c.contrastive.image_tower, {"frozen", "trained"});
        v.field("text_tower", c.contrastive.text_tower, {"frozen", "low_rank", "trained"});
        v.field("rank", c.contrastive.rank, {.min = 1, .max = 4096});
        v.field("epochs", c.contrastive.epochs, {.min = 1});
        v.field("batch_size", c.contrastive.batch_size, {.min = 2, .max = 65536});
        v.field("learning_rate", c.contrastive.learning_rate, positive);
        v.field("warmup_steps", c.contrastive.warmup_steps, {.min = 0});
        v.field("weight_decay", c.contrastive.weight_decay, non_negative);
        v.field("label_smoothing", c.contrastive.label_smoothing, {.max = 0.9});
        v.field("temperature", c.contrastive.temperature, {.min = 1e-3, .max = 10});
    });
    v.section("held_out", [&] {
        v.field("every", c.held_out.every, {.min = 1});
        v.field("pairs", c.held_out.pairs, {.min = 2, .max = 1'000'000});
        v.field("pictures_per_class", c.held_out.pictures_per_class, {.min = 1, .max = 1'000'000});
    });
    v.field("output", c.output);
}

std::vector<Mistake> check_fields_together(const PretrainConfig& c) {
    std::vector<Mistake> wrong;
    if (const auto mistake = check_name(c.name)) wrong.push_back(*mistake);
    if (c.model.empty()) wrong.push_back({"model", "model: '' is not allowed (a model directory)"});
    if (c.pairs.list.empty() && c.pairs.count < c.contrastive.batch_size)
        wrong.push_back({"pairs.count",
                         text("pairs.count: ", c.pairs.count,
                              " is not allowed (at least contrastive.batch_size = ", c.contrastive.batch_size, ")")});
    return wrong;
}

}  // namespace ltad
