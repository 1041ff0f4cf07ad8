#include "ltad/config/load.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "layers.h"
#include "ltad/core/error.h"
#include "schema.h"

namespace ltad {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({change, row[j] + 1, diagonal + 1});
        }
    }
    return row[b.size()];
}

std::string nearest_key(std::string_view key, const std::set<std::string>& known_keys) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, key.size() / 3) + 1;
    const std::string_view last = key.substr(key.rfind('.') + 1);
    for (const std::string& known : known_keys) {
        // "epochs" at the wrong level is as near as a misspelling at the right one.
        const std::string_view known_last = std::string_view(known).substr(known.rfind('.') + 1);
        const std::size_t distance =
            std::min(edit_distance(key, known), known_last == last ? std::size_t{2} : edit_distance(key, known));
        if (distance < best_distance) {
            best = known;
            best_distance = distance;
        }
    }
    return best;
}

/// Common ground of the visitors: where in the tree of sections we are.
class PathVisitor : public FieldVisitor {
public:
    void section(std::string_view name, const std::function<void()>& fields) override {
        const std::string outer = prefix_;
        prefix_ += std::string(name) + ".";
        fields();
        prefix_ = outer;
    }

protected:
    [[nodiscard]] std::string key(std::string_view name) const { return prefix_ + std::string(name); }

private:
    std::string prefix_;
};

class Writer final : public PathVisitor {
public:
    void field(std::string_view name, std::int64_t& value, IntegerRange) override { put(name, value); }
    void field(std::string_view name, double& value, NumberRange) override { put(name, value); }
    void field(std::string_view name, bool& value) override { put(name, value); }
    void field(std::string_view name, std::string& value, const Choices&) override { put(name, value); }
    void field(std::string_view name, ClassOrder& value) override {
        put(name, value.names.empty() ? json(value.kind) : json(value.names));
    }
    void field(std::string_view name, std::vector<std::string>& texts) override {
        put(name, texts.size() == 1 ? json(texts[0]) : json(texts));
    }
    void field(std::string_view name, std::vector<std::int64_t>& taps) override {
        put(name, taps.empty() ? json("auto") : json(taps));
    }
    void field(std::string_view name, std::optional<double>& value, NumberRange) override {
        put(name, value ? json(*value) : json("auto"));
    }

    json document = json::object();
    std::vector<std::string> keys;

private:
    void put(std::string_view name, json value) {
        keys.push_back(key(name));
        make_place(document, keys.back()) = std::move(value);
    }
};

class Reader final : public PathVisitor {
public:
    explicit Reader(const Layers& layers) : layers_(layers) {}

    void field(std::string_view name, std::int64_t& value, IntegerRange range) override {
        const std::string allowed = text("a whole number from ", range.min, " to ", range.max);
        if (const json* found = find(name)) {
            const auto number = whole_number(*found);
            if (!number || *number < range.min || *number > range.max)
                reject(name, *found, allowed);
            else
                value = *number;
        }
    }

    void field(std::string_view name, double& value, NumberRange range) override {
        if (const json* found = find(name)) {
            if (fits(*found, range))
                value = found->get<double>();
            else
                reject(name, *found, describe(range));
        }
    }

    void field(std::string_view name, bool& value) override {
        if (const json* found = find(name)) {
            if (found->is_boolean())
                value = found->get<bool>();
            else
                reject(name, *found, "true or false");
        }
    }

    void field(std::string_view name, std::string& value, const Choices& choices) override {
        if (const json* found = find(name)) {
            if (!found->is_string())
                reject(name, *found, choices.empty() ? "a string" : list(choices));
            else if (!choices.empty() &&
                     std::find(choices.begin(), choices.end(), found->get<std::string>()) == choices.end())
                reject(name, *found, list(choices));
            else
                value = found->get<std::string>();
        }
    }

    void field(std::string_view name, std::vector<std::string>& texts) override {
        const json* found = find(name);
        if (found == nullptr) return;
        if (found->is_string())
            texts = {found->get<std::string>()};
        else if (is_list_of_strings(*found))
            texts = found->get<std::vector<std::string>>();
        else
            reject(name, *found, "a string or a list of strings");
    }

    void field(std::string_view name, ClassOrder& value) override {
        const json* found = find(name);
        if (found == nullptr) return;
        if (is_list_of_strings(*found))
            value = {.kind = "list", .names = found->get<std::vector<std::string>>()};
        else if (*found == "cardinality" || *found == "alphabetical")
            value = {.kind = found->get<std::string>(), .names = {}};
        else
            reject(name, *found, "\"cardinality\", \"alphabetical\" or a list of class names");
    }

    void field(std::string_view name, std::vector<std::int64_t>& taps) override {
        const json* found = find(name);
        if (found == nullptr) return;
        std::vector<std::int64_t> read;
        bool valid = found->is_array() && !found->empty();
        if (valid)
            for (const json& item : *found) {
                const auto index = whole_number(item);
                valid = valid && index && *index >= 0 && (read.empty() || *index > read.back());
                read.push_back(index.value_or(0));
            }
        if (*found == "auto")
            taps.clear();
        else if (valid)
            taps = read;
        else
            reject(name, *found, "\"auto\" or increasing block indices such as [3, 10, 17, 37]");
    }

    void field(std::string_view name, std::optional<double>& value, NumberRange range) override {
        const json* found = find(name);
        if (found == nullptr) return;
        if (*found == "auto")
            value.reset();
        else if (fits(*found, range))
            value = found->get<double>();
        else
            reject(name, *found, "\"auto\" or " + describe(range));
    }

    /// Rules between fields; a field that was rejected has kept its default, which says nothing.
    void check_together(const std::vector<Mistake>& found) {
        for (const Mistake& mistake : found)
            if (!rejected_.contains(mistake.key)) mistakes.push_back(mistake.sentence + source_of(mistake.key));
    }

    /// What is left over: keys that no field asked for.
    void check_unknown() {
        for (const auto& [key, source] : layers_.sources) {
            if (known_.contains(key)) continue;
            if (is_section(key)) {
                if (!at(key)->is_object())
                    mistakes.push_back(
                        text(key, ": ", at(key)->dump(), " is not allowed (a section, {…}), in ", source));
                continue;
            }
            if (at(key) == nullptr) continue;  // a later layer replaced it
            const std::string nearest = nearest_key(key, known_);
            mistakes.push_back(text(key, ": no such key (set to ", at(key)->dump(), ")",
                                    nearest.empty() ? "" : "; did you mean " + nearest + "?", ", in ", source));
        }
    }

    std::vector<std::string> mistakes;

private:
    static bool is_list_of_strings(const json& value) {
        return value.is_array() && !value.empty() &&
               std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_string(); });
    }

    static std::optional<std::int64_t> whole_number(const json& value) {
        if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
        if (value.is_number_integer()) return value.get<std::int64_t>();
        // 1e3 is a whole number to whoever wrote it.
        if (value.is_number_float() && std::abs(value.get<double>()) < 9e15 &&
            std::floor(value.get<double>()) == value.get<double>())
            return static_cast<std::int64_t>(value.get<double>());
        return std::nullopt;
    }

    static bool fits(const json& value, NumberRange range) {
        if (!value.is_number()) return false;
        const auto number = value.get<double>();
        return std::isfinite(number) && number <= range.max &&
               (range.above_min ? number > range.min : number >= range.min);
    }

    static std::string describe(NumberRange range) {
        std::string words = text("a number ", range.above_min ? "above " : "from ", range.min);
        if (range.max < std::numeric_limits<double>::max()) words += text(" to ", range.max);
        return words;
    }

    static std::string list(const Choices& choices) {
        std::string words;
        for (const auto choice : choices) words += text(words.empty() ? "" : ", ", '"', choice, '"');
        return words;
    }

    [[nodiscard]] const json* at(const std::string& key) const {
        const json* node = &layers_.document;
        for (const std::string& part : split_key(key)) {
            const auto found = node->find(part);
            if (!node->is_object() || found == node->end()) return nullptr;
            node = &*found;
        }
        return node;
    }

    const json* find(std::string_view name) {
        known_.insert(key(name));
        return at(key(name));
    }

    [[nodiscard]] bool is_section(const std::string& key) const {
        const auto after = known_.upper_bound(key + ".");
        return after != known_.end() && after->starts_with(key + ".");
    }

    void reject(std::string_view name, const json& value, const std::string& allowed) {
        rejected_.insert(key(name));
        mistakes.push_back(
            text(key(name), ": ", value.dump(), " is not allowed (", allowed, ")", source_of(key(name))));
    }

    [[nodiscard]] std::string source_of(const std::string& key) const {
        const auto source = layers_.sources.find(key);
        return source == layers_.sources.end() ? "" : ", in " + source->second;
    }

    const Layers& layers_;
    std::set<std::string> rejected_;
    std::set<std::string> known_;
};

/// Any of the option structs that schema.h describes.
template <typename Options>
Options load_options(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
    const Layers layers = read_layers(file, overrides);
    Options options;
    Reader reader(layers);
    visit_fields(options, reader);
    reader.check_unknown();
    reader.check_together(check_fields_together(options));
    const auto& mistakes = reader.mistakes;
    if (!mistakes.empty()) {
        std::string message = text(file.empty() ? "the settings" : file.string(), ": ", mistakes.size(),
                                   mistakes.size() == 1 ? " mistake" : " mistakes");
        for (const std::string& mistake : mistakes) message += "\n  " + mistake;
        throw UsageError(message);
    }
    return options;
}

template <typename Options>
Writer write_options(Options options) {
    Writer writer;
    visit_fields(options, writer);
    return writer;
}

}  // namespace

Config load_config(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
    return load_options<Config>(file, overrides);
}

PretrainConfig load_pretrain_config(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
    return load_options<PretrainConfig>(file, overrides);
}

json to_json(const Config& config) { return write_options(config).document; }

json to_json(const PretrainConfig& config) { return write_options(config).document; }

json picked(const Config& config, const std::vector<std::string>& keys) {
    const json all = to_json(config);
    json out = json::object();
    for (const std::string& key : keys) {
        const json* value = &all;
        for (const std::string& part : split_key(key)) {
            if (!value->is_object() || !value->contains(part)) fail("the config has no key '", key, "'");
            value = &value->at(part);
        }
        make_place(out, key) = *value;
    }
    return out;
}

std::vector<std::string> config_keys() { return write_options(Config()).keys; }

}  // namespace ltad
