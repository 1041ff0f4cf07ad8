#include "ltad/model/prompts.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

/// The text's ids, repeated or cut to `length`.
std::vector<std::int64_t> fitted_ids(const Tokenizer& tokenizer, const std::string& words, std::int64_t length) {
    const auto ids = tokenizer.ids(words);
    if (ids.empty()) throw UsageError(text("prompts.init: '", words, "' has no token in the encoder's vocabulary"));
    std::vector<std::int64_t> fitted;
    for (std::int64_t i = 0; i < length; ++i) fitted.push_back(ids[static_cast<std::size_t>(i) % ids.size()]);
    return fitted;
}

std::string spoken(std::string class_name) {
    std::replace(class_name.begin(), class_name.end(), '_', ' ');
    return class_name;
}

}  // namespace

Prompts::Prompts(const PromptsConfig& config, const std::vector<std::string>& class_names, const AlignModel& encoder,
                 Parameters& parameters)
    : encoder_(encoder.text()), tokenizer_(encoder.tokenizer()) {
    const auto classes = static_cast<std::int64_t>(class_names.size());
    const std::int64_t hidden = encoder_.hidden_size();
    const auto words = static_cast<std::int64_t>(
        std::max(tokenizer_.ids(config.normal).size(), tokenizer_.ids(config.abnormal).size()));
    if (config.length + words + 2 > encoder_.max_length())
        throw UsageError(text("prompts.length: ", config.length, " tokens, ", words,
                              " of the longest state and 2 special "
                              "ones exceed the text encoder's ",
                              encoder_.max_length()));
    // BERT's word embeddings have a deviation of about 0.02 at their own start; a random name starts there as well.
    const std::vector<std::int64_t> shape{classes, config.length, hidden};
    names_ = config.learned ? parameters.add("prompts.names", shape, init_normal(0.02))
                            : parameters.add_buffer("prompts.names", shape, init_normal(0.02));
    if (config.init == "random") return;
    const c10::NoGradGuard no_grad;
    for (std::int64_t c = 0; c < classes; ++c) {
        const std::string words_of_class =
            config.init == "class_name" ? spoken(class_names[static_cast<std::size_t>(c)]) : config.init;
        const auto ids = fitted_ids(tokenizer_, words_of_class, config.length);
        names_[c].copy_(encoder_.word_embeddings(at::tensor(ids, at::kLong)));
    }
}

at::Tensor Prompts::encode(const std::vector<std::int64_t>& prefix, const at::Tensor& names) const {
    std::vector<std::int64_t> before{tokenizer_.cls()};
    before.insert(before.end(), prefix.begin(), prefix.end());
    const auto repeated = [&](const std::vector<std::int64_t>& ids) {
        const at::Tensor one = encoder_.word_embeddings(at::tensor(ids, at::kLong)).to(names.scalar_type());
        return one.unsqueeze(0).expand({names.size(0), -1, -1});
    };
    return encoder_.forward(at::cat({repeated(before), names, repeated({tokenizer_.sep()})}, 1));
}

at::Tensor Prompts::names(const at::Tensor& classes) const { return encode({}, names_.index_select(0, classes)); }

at::Tensor Prompts::with_state(const std::string& state) const { return encode(tokenizer_.ids(state), names_); }

}  // namespace ltad
