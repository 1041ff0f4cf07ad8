#include "towers.h"

#include <array>
#include <set>

#include <ATen/ATen.h>

#include "ltad/align/align_model.h"
#include "ltad/align/torch_file.h"
#include "ltad/core/error.h"

namespace ltad {
namespace {

/// sigmoid(30) is 1 in single precision: a gate with this bias and no weights lets everything through, which is how a
/// network without squeeze-excite is written in EfficientNet's form.
constexpr double open_gate = 30;

const at::Tensor& need(const Weights& weights, const std::string& name, const std::filesystem::path& file,
                       std::int64_t dimensions) {
    const auto found = weights.find(name);
    if (found == weights.end()) fail(file.string(), ": tensor '", name, "' is missing");
    if (found->second.dim() != dimensions)
        fail(file.string(), ": tensor '", name, "' has shape ", shape_text(found->second.sizes().vec()), ", ",
             dimensions, " dimensions were expected");
    return found->second;
}

/// EfficientNet-Lite's tensors under transformers' names. Its blocks name their batch norms by order of appearance.
class LiteNames {
public:
    LiteNames(const Weights& from, const std::filesystem::path& file) : from_(from), file_(file) {}

    Tower convert() {
        unit("_conv_stem", "_bn0", "embeddings.convolution", "embeddings.batchnorm");
        std::int64_t index = 0;
        for (; from_.contains(text("_blocks.", index, "._depthwise_conv.weight")); ++index) block(index);
        if (stages_.size() != strides.size())
            fail(file_.string(), ": ", stages_.size(), " stages were found among its ", index, " blocks; the ",
                 strides.size(), " of EfficientNet-Lite were expected");
        if (need(from_, "_conv_stem.weight", file_, 4).size(0) != 32)
            fail(file_.string(), ": its stem has not the 32 channels of EfficientNet-Lite");
        check_rest();
        const json config = vision_config();
        check_weights(to_, efficientnet_shapes(parse_efficientnet_config(config, file_.string())), file_.string());
        return {config, std::move(to_), preprocessing()};
    }

private:
    struct Stage {
        std::int64_t kernel, in, out, expand, repeats;
    };
    static constexpr std::array<std::int64_t, 7> strides = {1, 2, 2, 2, 1, 2, 1};

    void unit(const std::string& convolution, const std::string& norm, const std::string& to_convolution,
              const std::string& to_norm) {
        const auto take = [&](const std::string& name, std::int64_t dimensions) {
            taken_.insert(name);
            return need(from_, name, file_, dimensions);
        };
        to_[to_convolution + ".weight"] = take(convolution + ".weight", 4);
        for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
            to_[to_norm + part] = take(norm + part, 1);
    }

    /// All but the classifier's head belongs to what was found.
    void check_rest() const {
        for (const auto& [name, tensor] : from_) {
            bool known = taken_.contains(name) || name.ends_with("num_batches_tracked");
            for (const char* head : {"_conv_head.", "_bn1.", "_fc."}) known = known || name.starts_with(head);
            if (!known) fail(file_.string(), ": tensor '", name, "' is not expected in an EfficientNet-Lite");
        }
    }

    void block(std::int64_t index) {
        const std::string from = text("_blocks.", index, ".");
        const std::string to = text("encoder.blocks.", index, ".");
        const bool expands = from_.contains(from + "_expand_conv.weight");
        if (from_.contains(from + "_se_reduce.weight"))
            fail(file_.string(), ": block ", index,
                 " has squeeze-excite; of this naming only EfficientNet-Lite's "
                 "files are known, which have none (transformers' EfficientNet files with config.json work too)");
        if (expands)
            unit(from + "_expand_conv", from + "_bn0", to + "expansion.expand_conv", to + "expansion.expand_bn");
        unit(from + "_depthwise_conv", from + "_bn1", to + "depthwise_conv.depthwise_conv",
             to + "depthwise_conv.depthwise_norm");
        unit(from + "_project_conv", from + "_bn2", to + "projection.project_conv", to + "projection.project_bn");

        const at::Tensor& depthwise = need(from_, from + "_depthwise_conv.weight", file_, 4);
        const std::int64_t expanded = depthwise.size(0);
        const std::int64_t out = need(from_, from + "_project_conv.weight", file_, 4).size(0);
        const std::int64_t in = expands ? need(from_, from + "_expand_conv.weight", file_, 4).size(1) : expanded;
        if (in < 1 || out < 1 || expanded % in != 0)
            fail(file_.string(), ": block ", index, " widens ", in, " channels to ", expanded, ", not a multiple");
        if (stages_.empty() || in != out) stages_.push_back({depthwise.size(2), in, out, expanded / in, 0});
        ++stages_.back().repeats;

        to_[to + "squeeze_excite.reduce.weight"] = at::zeros({1, expanded, 1, 1});
        to_[to + "squeeze_excite.reduce.bias"] = at::zeros({1});
        to_[to + "squeeze_excite.expand.weight"] = at::zeros({expanded, 1, 1, 1});
        to_[to + "squeeze_excite.expand.bias"] = at::full({expanded}, open_gate);
    }

    /// Every channel count and repeat is written out, so that nothing is left to scale: the Lite family scales by rules
    /// of its own.
    [[nodiscard]] json vision_config() const {
        json config = {{"model_type", "align_vision_model"},
                       {"width_coefficient", 1.0},
                       {"depth_coefficient", 1.0},
                       {"depth_divisor", 8},
                       {"strides", strides},
                       {"squeeze_expansion_ratio", 0.001},
                       {"hidden_act", "relu6"},
                       {"batch_norm_eps", 0.001},
                       {"depthwise_padding", json::array()},
                       {"hidden_dim", stages_.back().out},
                       {"pooling_type", "mean"}};
        for (const Stage& stage : stages_) {
            config["kernel_sizes"].push_back(stage.kernel);
            config["in_channels"].push_back(stage.in);
            config["out_channels"].push_back(stage.out);
            config["expand_ratios"].push_back(stage.expand);
            config["num_block_repeats"].push_back(stage.repeats);
        }
        return config;
    }

    /// (x − 127) / 128, as EfficientNet-Lite was trained.
    static json preprocessing() {
        return {{"image_processor_type", "EfficientNetImageProcessor"},
                {"do_rescale", false},
                {"rescale_offset", false},
                {"do_normalize", true},
                {"image_mean", {127.0, 127.0, 127.0}},
                {"image_std", {128.0, 128.0, 128.0}},
                {"include_top", false}};
    }

    const Weights& from_;
    const std::filesystem::path& file_;
    Weights to_;
    std::set<std::string> taken_;
    std::vector<Stage> stages_;
};

json read_config_of(const std::filesystem::path& file, const char* section) {
    json document = read_json(file);
    if (!document.is_object()) fail(file.string(), ": a JSON object was expected");
    if (const auto inner = document.find(section); inner != document.end() && inner->is_object()) return *inner;
    return document;
}

/// The tensors under the first of the prefixes that has any.
Weights below(const Weights& weights, std::initializer_list<const char*> prefixes) {
    for (const char* prefix : prefixes)
        if (Weights inner = with_prefix(weights, prefix); !inner.empty()) return inner;
    return weights;
}

/// Takes what the architecture has, and leaves what belongs to heads that ALIGN does not use.
Weights pick(const Weights& weights, const Shapes& shapes, std::initializer_list<const char*> unused,
             const std::string& where) {
    Weights kept;
    for (const auto& [name, tensor] : weights) {
        bool drop = name.ends_with("position_ids") || name.ends_with("num_batches_tracked");
        for (const char* prefix : unused) drop = drop || name.starts_with(prefix);
        if (!drop) kept[name] = tensor;
    }
    check_weights(kept, shapes, where);
    return kept;
}

Tower read_transformers_image(const Weights& all, const std::filesystem::path& file) {
    const auto folder = file.parent_path();
    if (!std::filesystem::exists(folder / "config.json"))
        fail(file.string(), ": transformers' image weights need config.json beside them");
    if (!std::filesystem::exists(folder / "preprocessor_config.json") &&
        !std::filesystem::exists(folder / "processor_config.json"))
        fail(file.string(), ": transformers' image weights need preprocessor_config.json (or processor_config.json) ",
             "beside them");
    Tower tower;
    tower.config = read_config_of(folder / "config.json", "vision_config");
    tower.preprocessing = read_preprocessing_document(folder);
    (void)read_preprocessing(folder);
    const auto config = parse_efficientnet_config(tower.config, (folder / "config.json").string());
    tower.weights = pick(below(all, {"vision_model.", "efficientnet."}), efficientnet_shapes(config),
                         {"encoder.top_", "classifier."}, file.string());
    tower.config["model_type"] = "align_vision_model";
    return tower;
}

}  // namespace

Tower read_image_tower(const std::filesystem::path& file) {
    const Weights all = load_any_weights(file);
    if (all.contains("_conv_stem.weight")) return LiteNames(all, file).convert();
    for (const char* prefix : {"", "vision_model.", "efficientnet."})
        if (all.contains(text(prefix, "embeddings.convolution.weight"))) return read_transformers_image(all, file);
    fail(file.string(),
         ": no image encoder that is known; EfficientNet-Lite's file has a tensor '_conv_stem.weight', "
         "transformers' EfficientNet one that ends in 'embeddings.convolution.weight', this one has '",
         all.empty() ? std::string() : all.begin()->first, "' first");
}

Tower read_text_tower(const std::filesystem::path& folder) {
    const auto config_file = folder / "config.json";
    if (!std::filesystem::exists(config_file))
        fail(folder.string(), ": no config.json; a BERT's folder was expected (config.json, weights, vocabulary)");
    Tower tower;
    tower.config = read_config_of(config_file, "text_config");
    const BertConfig config = parse_bert_config(tower.config, config_file.string());
    const auto file = model_weights_file(folder);
    Weights weights = below(load_any_weights(file), {"text_model.", "bert."});
    for (const char* name : {"pooler.dense.weight", "pooler.dense.bias"})
        weights.try_emplace(name, at::zeros(bert_shapes(config).at(name)));
    tower.weights = pick(weights, bert_shapes(config), {"cls."}, file.string());
    for (auto& [name, tensor] : tower.weights) tensor = tensor.to(at::kFloat);
    for (const char* key : {"_name_or_path", "architectures", "transformers_version"}) tower.config.erase(key);
    tower.config["model_type"] = "align_text_model";
    return tower;
}

}  // namespace ltad
