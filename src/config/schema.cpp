#include "schema.h"

#include <algorithm>

#include "ltad/core/error.h"

namespace ltad {
namespace {

constexpr NumberRange non_negative{};
constexpr NumberRange positive{.above_min = true};
constexpr NumberRange fraction{.max = 1};
constexpr IntegerRange count{.min = 1};
const Choices schedules = {"constant", "cosine", "step"};

void visit_data(Config& c, FieldVisitor& v) {
    v.section("dataset", [&] {
        v.field("layout", c.dataset.layout, {"mvtec", "visa", "dagm", "jsonl"});
        v.field("root", c.dataset.root);
        v.field("train", c.dataset.train);
        v.field("test", c.dataset.test);
        v.field("image_size", c.dataset.image_size, {.min = 32, .max = 4096});
        v.field("masks", c.dataset.masks, {"defects", "background", "unchecked"});
        v.field("bits", c.dataset.bits, {.min = 0, .max = 16});
    });
    v.section("split", [&] {
        v.field("type", c.split.type, {"exp", "step"});
        v.field("imbalance_factor", c.split.imbalance_factor,
                NumberRange{.min = 1, .max = SplitConfig::most_imbalance});
        v.field("class_order", c.split.class_order);
        v.field("reverse", c.split.reverse);
        v.field("path", c.split.path);
    });
    v.section("encoder", [&] {
        v.field("path", c.encoder.path);
        v.field("taps", c.encoder.taps);
        v.field("grid", c.encoder.grid, {.min = 0, .max = 256});
        v.field("precision", c.encoder.precision, {"float32", "bfloat16"});
    });
    v.section("features", [&] {
        v.field("path", c.features.path);
        v.field("batch_size", c.features.batch_size, {.min = 1, .max = 4096});
    });
}

void visit_training(Config& c, FieldVisitor& v) {
    v.section("prompts", [&] {
        v.field("length", c.prompts.length, {.min = 0, .max = 64});
        v.field("init", c.prompts.init);
        v.field("learned", c.prompts.learned);
        v.field("normal", c.prompts.normal);
        v.field("abnormal", c.prompts.abnormal);
    });
    v.section("phase1", [&] {
        v.field("epochs", c.phase1.epochs, count);
        v.field("batch_size", c.phase1.batch_size, {.min = 1, .max = 4096});
        v.field("learning_rate", c.phase1.learning_rate, positive);
        v.field("schedule", c.phase1.schedule, schedules);
        v.field("weight_decay", c.phase1.weight_decay, non_negative);
        v.field("kl_weight", c.phase1.kl_weight, non_negative);
        v.field("generator", c.phase1.generator, {"vae", "autoencoder"});
    });
    v.section("decoder", [&] {
        v.field("resolution", c.decoder.resolution, {"native", "grid"});
        v.field("norm", c.decoder.norm, {"batch", "group"});
        v.field("norm_momentum", c.decoder.norm_momentum, {.max = 1, .above_min = true});
        v.field("seed_size", c.decoder.seed_size, {.min = 1, .max = 64});
    });
    v.section("phase2", [&] {
        v.field("epochs", c.phase2.epochs, count);
        v.field("batch_size", c.phase2.batch_size, {.min = 1, .max = 4096});
        v.field("learning_rate", c.phase2.learning_rate, positive);
        v.field("schedule", c.phase2.schedule, schedules);
        v.field("weight_decay", c.phase2.weight_decay, non_negative);
        v.field("real_probability", c.phase2.real_probability, fraction);
        v.field("sampling", c.phase2.sampling, {"constant", "class_aware"});
        v.field("jitter", c.phase2.jitter, non_negative);
        v.field("jitter_scale", c.phase2.jitter_scale, {"token", "channel"});
    });
}

void visit_baselines(Config& c, FieldVisitor& v) {
    v.section("uniad", [&] { v.field("clip_norm", c.uniad.clip_norm, non_negative); });
    v.section("patchcore", [&] {
        v.field("coreset", c.patchcore.coreset, NumberRange{.max = 1, .above_min = true});
        v.field("projection_dim", c.patchcore.projection_dim, {.min = 0, .max = 65536});
        v.field("neighborhood", c.patchcore.neighborhood, {.min = 1, .max = 255});
        v.field("smoothing", c.patchcore.smoothing, {.max = 100});
    });
}

void visit_modules(Config& c, FieldVisitor& v) {
    v.section("reconstruction", [&] {
        v.field("hidden_dim", c.reconstruction.hidden_dim, {.min = 2, .max = 65536});
        v.field("heads", c.reconstruction.heads, {.min = 1, .max = 1024});
        v.field("encoder_layers", c.reconstruction.encoder_layers, {.min = 1, .max = 64});
        v.field("decoder_layers", c.reconstruction.decoder_layers, {.min = 1, .max = 64});
        v.field("feedforward_dim", c.reconstruction.feedforward_dim, {.min = 1, .max = 65536});
        v.field("dropout", c.reconstruction.dropout, {.max = 0.95});
        v.field("neighbor_size", c.reconstruction.neighbor_size, {.min = 0, .max = 255});
        v.field("precision", c.reconstruction.precision, {"float32", "bfloat16"});
    });
    v.section("semantic", [&] {
        v.field("projection", c.semantic.projection, {"per_layer", "concatenated"});
        v.field("pooling", c.semantic.pooling, {"max", "mean"});
        v.field("text", c.semantic.text, {"encoder", "free"});
        v.field("temperature", c.semantic.temperature, positive);
        v.field("normalize_text", c.semantic.normalize_text);
    });
    v.section("scoring", [&] {
        v.field("lambda", c.scoring.lambda, non_negative);
        v.field("class", c.scoring.class_source, {"given", "predicted"});
        v.field("names", c.scoring.names, {"own", "exchanged"});
        v.field("image_pooling", c.scoring.image_pooling, {.min = 1, .max = 4096});
        v.field("map_size", c.scoring.map_size, {.min = 16, .max = 4096});
        v.field("mixed_pixels", c.scoring.mixed_pixels);
        v.field("threshold_quantile", c.scoring.threshold_quantile, fraction);
    });
}

}  // namespace

void visit_fields(Config& config, FieldVisitor& visitor) {
    visitor.field("name", config.name);
    visitor.field("method", config.method, {"ltad", "uniad", "patchcore"});
    visitor.field("seed", config.seed, {.min = 0, .max = std::numeric_limits<std::int64_t>::max()});
    visitor.field("device", config.device, {"auto", "cpu", "cuda"});
    visitor.field("threads", config.threads, {.min = 0, .max = 4096});
    visitor.field("checkpoint_seconds", config.checkpoint_seconds, non_negative);
    visit_data(config, visitor);
    visit_training(config, visitor);
    visit_modules(config, visitor);
    visit_baselines(config, visitor);
    visitor.field("output", config.output);
}

std::optional<Mistake> check_name(const std::string& name) {
    const bool is_folder = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
    const auto is_control = [](char letter) { return letter >= 0 && letter < ' '; };
    if (is_folder && std::none_of(name.begin(), name.end(), is_control)) return std::nullopt;
    return Mistake{"name", text("name: '", name, "' is not allowed (the name of a folder, without '/')")};
}

std::vector<Mistake> check_fields_together(const Config& c) {
    std::vector<Mistake> wrong;
    const auto expect = [&](bool holds, const std::string& key, const auto&... parts) {
        if (!holds) wrong.push_back({key, text(key, parts...)});
    };
    const auto& r = c.reconstruction;
    if (const auto mistake = check_name(c.name)) wrong.push_back(*mistake);
    expect(r.hidden_dim % r.heads == 0, "reconstruction.hidden_dim", ": ", r.hidden_dim,
           " is not divisible by reconstruction.heads = ", r.heads);
    expect(r.hidden_dim % 2 == 0, "reconstruction.hidden_dim", ": ", r.hidden_dim,
           " is odd; half of it holds the row embedding, half the column embedding");
    expect(r.neighbor_size == 0 || r.neighbor_size % 2 == 1, "reconstruction.neighbor_size", ": ", r.neighbor_size,
           " is even; an odd number, or 0 for no mask, is allowed");
    expect(r.neighbor_size < std::max<std::int64_t>(c.grid(), 1), "reconstruction.neighbor_size", ": ", r.neighbor_size,
           " hides every token from the middle of a grid of ", c.grid(),
           "; a smaller odd number, or 0 for no mask, is allowed");
    expect(c.scoring.image_pooling <= c.scoring.map_size, "scoring.image_pooling", ": ", c.scoring.image_pooling,
           " is larger than scoring.map_size = ", c.scoring.map_size);
    expect(!c.prompts.init.empty(), "prompts.init",
           ": '' is not allowed (\"object\", another word, \"class_name\" or \"random\")");
    expect(c.prompts.length > 0 || c.prompts.init != "random", "prompts.length",
           ": 0 takes the number of tokens from a text, which prompts.init \"random\" has not; a number from 1 is "
           "allowed");
    expect(c.patchcore.neighborhood % 2 == 1, "patchcore.neighborhood", ": ", c.patchcore.neighborhood,
           " is even; an odd number is allowed");
    expect(!c.encoder.path.empty(), "encoder.path", ": '' is not allowed (a model directory)");
    expect(!c.features.path.empty(), "features.path", ": '' is not allowed (a folder for the feature store)");
    expect(!c.dataset.root.empty(), "dataset.root", ": is missing (the data set's folder)");
    if (c.dataset.layout == "jsonl")
        expect(!c.dataset.train.empty() && !c.dataset.test.empty(), "dataset.train, dataset.test",
               ": layout \"jsonl\" needs both lists");
    expect(c.dataset.bits == 0 || c.dataset.bits >= 8, "dataset.bits",
           text(": ", c.dataset.bits, " is not allowed; 8 to 16, or 0 where 16-bit pictures use their whole range"));
    return wrong;
}

std::filesystem::path Config::output_path() const {
    return output.empty() ? std::filesystem::path("runs") / name : std::filesystem::path(output);
}

std::int64_t Config::grid() const { return encoder.grid > 0 ? encoder.grid : dataset.image_size / 16; }

}  // namespace ltad
