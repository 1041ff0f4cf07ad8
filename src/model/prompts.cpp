#include "ltad/model/prompts.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

std::string spoken(std::string class_name) {
    std::replace(class_name.begin(), class_name.end(), '_', ' ');
    return class_name;
}

/// Of each class's text, repeated or cut to config.length, or where that is 0 as they are.
std::vector<std::vector<std::int64_t>> name_ids(const PromptsConfig& config,
                                                const std::vector<std::string>& class_names,
                                                const Tokenizer& tokenizer) {
    std::vector<std::vector<std::int64_t>> all;
    for (const std::string& name : class_names) {
        const std::string words = config.init == "class_name" ? spoken(name) : config.init;
        const auto ids = tokenizer.ids(words);
        if (ids.empty())
            throw UsageError(
                text("prompts.init: '", words, "', for class '", name, "', has no token in the encoder's vocabulary"));
        const std::size_t length = config.length > 0 ? static_cast<std::size_t>(config.length) : ids.size();
        auto& fitted = all.emplace_back();
        for (std::size_t i = 0; i < length; ++i) fitted.push_back(ids[i % ids.size()]);
    }
    return all;
}

std::int64_t longest(const std::vector<std::vector<std::int64_t>>& lists) {
    std::size_t length = 0;
    for (const auto& list : lists) length = std::max(length, list.size());
    return static_cast<std::int64_t>(length);
}

}  // namespace

Prompts::Prompts(const PromptsConfig& config, const std::vector<std::string>& class_names, const AlignModel& encoder,
                 Parameters& parameters)
    : encoder_(encoder.text()), tokenizer_(encoder.tokenizer()) {
    const bool random = config.init == "random";
    const auto ids = random ? std::vector<std::vector<std::int64_t>>{} : name_ids(config, class_names, tokenizer_);
    const std::int64_t length = random ? config.length : longest(ids);
    std::int64_t words = 0;
    for (const auto* states : {&config.normal, &config.abnormal})
        for (const std::string& state : *states)
            words = std::max(words, static_cast<std::int64_t>(tokenizer_.ids(state).size()));
    if (length + words + 2 > encoder_.max_length())
        throw UsageError(text("prompts.length: ", length, " tokens, ", words,
                              " of the longest state and 2 special ones exceed the text encoder's ",
                              encoder_.max_length()));
    // BERT's word embeddings have a deviation of about 0.02 at their own start; a random name starts there as well.
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(class_names.size()), length,
                                          encoder_.hidden_size()};
    names_ = config.learned ? parameters.add("prompts.names", shape, init_normal(0.02))
                            : parameters.add_buffer("prompts.names", shape, init_normal(0.02));
    lengths_ = at::full({shape[0]}, length, names_.options().dtype(at::kLong).requires_grad(false));
    if (random) return;
    const c10::NoGradGuard no_grad;
    names_.zero_();
    for (std::int64_t c = 0; c < shape[0]; ++c) {
        const auto& own = ids[static_cast<std::size_t>(c)];
        const auto count = static_cast<std::int64_t>(own.size());
        names_[c].narrow(0, 0, count).copy_(encoder_.word_embeddings(at::tensor(own, at::kLong)));
        lengths_[c].fill_(count);
    }
}

at::Tensor Prompts::encode(const std::vector<std::int64_t>& prefix, const at::Tensor& classes) const {
    const at::Tensor names = names_.index_select(0, classes);
    const auto repeated = [&](const std::vector<std::int64_t>& ids) {
        const at::Tensor one = encoder_.word_embeddings(at::tensor(ids, at::kLong)).to(names.scalar_type());
        return one.unsqueeze(0).expand({names.size(0), -1, -1});
    };
    std::vector<std::int64_t> before{tokenizer_.cls()};
    before.insert(before.end(), prefix.begin(), prefix.end());
    const at::Tensor end = repeated({tokenizer_.sep()});
    if (lengths_.eq(names.size(1)).all().item<bool>())
        return encoder_.forward(at::cat({repeated(before), names, end}, 1));

    // [SEP] follows each name's own last token; padding, which T is told to skip, fills the row.
    const at::Tensor padding = repeated({tokenizer_.pad()});
    const at::Tensor length = lengths_.index_select(0, classes).unsqueeze(1);               // [K, 1]
    const at::Tensor place = at::arange(names.size(1) + 1, length.options()).unsqueeze(0);  // [1, L + 1]
    const at::Tensor tail = at::where(place.eq(length).unsqueeze(2), end, padding);         // [K, L + 1, hidden]
    const at::Tensor body = at::where(place.lt(length).unsqueeze(2), at::cat({names, padding}, 1), tail);
    const at::Tensor seen = place.le(length).to(names.scalar_type());
    const at::Tensor always = at::ones({names.size(0), static_cast<std::int64_t>(before.size())}, seen.options());
    return encoder_.forward(at::cat({repeated(before), body}, 1), at::cat({always, seen}, 1));
}

at::Tensor Prompts::names(const at::Tensor& classes) const { return encode({}, classes); }

at::Tensor Prompts::with_states(const std::vector<std::string>& states) const {
    const at::Tensor all = at::arange(names_.size(0), lengths_.options());
    at::Tensor sum;
    for (const std::string& state : states) {
        const at::Tensor texts = encode(tokenizer_.ids(state), all);
        sum = sum.defined() ? sum + texts : texts;
    }
    return states.size() == 1 ? sum : sum / static_cast<double>(states.size());
}

std::vector<std::vector<std::pair<std::string, double>>> Prompts::nearest_words(std::int64_t class_index,
                                                                                std::int64_t count) const {
    const c10::NoGradGuard no_grad;
    const auto unit = [](const at::Tensor& rows) { return rows / rows.norm(2, {1}, true).clamp_min(1e-12); };
    const std::int64_t size = tokenizer_.vocabulary_size();
    const at::Tensor words = unit(encoder_.word_embeddings(at::arange(size, at::kLong)).to(at::kFloat));
    const at::Tensor own = names_[class_index].narrow(0, 0, lengths_[class_index].item<std::int64_t>());
    const auto [cosines, ids] =
        at::topk(at::matmul(unit(own.to(at::kFloat)), words.t()).to(at::kCPU), std::min(count, size), 1);
    std::vector<std::vector<std::pair<std::string, double>>> all;
    for (std::int64_t t = 0; t < ids.size(0); ++t) {
        auto& nearest = all.emplace_back();
        for (std::int64_t k = 0; k < ids.size(1); ++k)
            nearest.emplace_back(tokenizer_.token(ids[t][k].item<std::int64_t>()), cosines[t][k].item<double>());
    }
    return all;
}

}  // namespace ltad
