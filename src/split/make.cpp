#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ltad/core/error.h"
#include "ltad/core/log.h"
#include "ltad/core/random.h"
#include "ltad/split/split.h"

namespace ltad {
namespace {

using ByClass = std::map<std::string, std::vector<Sample>>;  // names sorted bytewise

ByClass by_class(const std::vector<Sample>& samples) {
    ByClass groups;
    for (const Sample& sample : samples) groups[sample.class_name].push_back(sample);
    return groups;
}

std::vector<std::string> listed_order(const ClassOrder& order, const ByClass& classes) {
    std::set<std::string> seen;
    std::string problems;
    for (const std::string& name : order.names) {
        if (!classes.contains(name)) problems += " '" + name + "' is not in the data set;";
        if (!seen.insert(name).second) problems += " '" + name + "' is listed twice;";
    }
    for (const auto& [name, samples] : classes)
        if (!seen.contains(name)) problems += " '" + name + "' is missing;";
    if (!problems.empty()) throw UsageError("split.class_order: every class must be listed once:" + problems);
    return order.names;
}

std::vector<std::string> class_order(const SplitConfig& config, const ByClass& classes) {
    std::vector<std::string> order;
    if (!config.class_order.names.empty()) {
        order = listed_order(config.class_order, classes);
    } else {
        for (const auto& [name, samples] : classes) order.push_back(name);
        if (config.class_order.kind == "cardinality")
            std::stable_sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
                return classes.at(a).size() > classes.at(b).size();
            });
    }
    if (config.reverse) std::reverse(order.begin(), order.end());
    return order;
}

/// A random sample without repetition, back in the order of the files.
std::vector<Sample> draw(std::vector<Sample> samples, std::int64_t count, std::int64_t seed) {
    Random random(RandomUse::split, {static_cast<std::uint64_t>(seed), random_key(samples.front().class_name)});
    random.shuffle(samples);
    samples.resize(static_cast<std::size_t>(count));
    return samples;
}

void sort_by_file(std::vector<Sample>& samples) {
    std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.file < b.file; });
}

}  // namespace

std::string_view name_of(Group group) { return group == Group::high ? "high" : "low"; }

std::vector<std::int64_t> requested_counts(const std::string& type, double imbalance_factor, std::int64_t largest,
                                           std::size_t classes) {
    if (!std::isfinite(imbalance_factor) || imbalance_factor < 1)
        throw UsageError(
            text("split.imbalance_factor: ", imbalance_factor, " is not allowed (a finite number from 1)"));
    if (type != "exp" && type != "step")
        throw UsageError(text("split.type: '", type, "' is not allowed (\"exp\", \"step\")"));
    std::vector<std::int64_t> counts;
    const auto n = static_cast<double>(largest);
    for (std::size_t i = 0; i < classes; ++i) {
        const double place = classes > 1 ? static_cast<double>(i) / static_cast<double>(classes - 1) : 0.0;
        const double kept = type == "exp"     ? n * std::pow(imbalance_factor, -place)
                            : i < classes / 2 ? n
                                              : n / imbalance_factor;
        // 1e-9: what is a whole number on paper stays one.
        counts.push_back(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(kept + 1e-9))));
    }
    return counts;
}

Split make_split(const Dataset& dataset, const SplitConfig& config, std::int64_t seed) {
    const ByClass classes = by_class(dataset.train);
    const auto order = class_order(config, classes);
    std::int64_t largest = 0;
    for (const auto& [name, samples] : classes) largest = std::max(largest, static_cast<std::int64_t>(samples.size()));
    const auto requested = requested_counts(config.type, config.imbalance_factor, largest, order.size());
    if (static_cast<double>(largest) < config.imbalance_factor)
        log_warning(text("split: the largest class has ", largest, " pictures, fewer than the imbalance factor ",
                         config.imbalance_factor, "; the smallest classes keep one picture each"));
    if (order.size() == 1)
        log_warning(text("split: '", order[0], "' is the only class; there is no majority and no minority to compare"));

    Split split{.type = config.type,
                .imbalance_factor = config.imbalance_factor,
                .class_order = config.class_order,
                .reverse = config.reverse,
                .seed = seed,
                .classes = {},
                .train = {},
                .test = dataset.test};
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto& samples = classes.at(order[i]);
        const auto available = static_cast<std::int64_t>(samples.size());
        const std::int64_t kept = std::min(requested[i], available);
        split.classes.push_back({.name = order[i],
                                 .available = available,
                                 .requested = requested[i],
                                 .kept = kept,
                                 .group = i < order.size() / 2 ? Group::high : Group::low});
        const auto chosen = draw(samples, kept, seed);
        split.train.insert(split.train.end(), chosen.begin(), chosen.end());
    }
    sort_by_file(split.train);
    sort_by_file(split.test);
    return split;
}

Split import_split(const Dataset& lists) {
    Split split{.type = "import",
                .imbalance_factor = 1,
                .class_order = {},
                .reverse = false,
                .seed = 0,
                .classes = {},
                .train = lists.train,
                .test = lists.test};
    const ByClass classes = by_class(lists.train);
    const auto order = class_order({}, classes);
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto count = static_cast<std::int64_t>(classes.at(order[i]).size());
        split.classes.push_back({.name = order[i],
                                 .available = count,
                                 .requested = count,
                                 .kept = count,
                                 .group = i < order.size() / 2 ? Group::high : Group::low});
    }
    const std::size_t half = order.size() / 2;
    if (half > 0 && split.classes[half - 1].kept == split.classes[half].kept)
        log_warning(text("split: classes on both sides of the line between High and Low have ",
                         split.classes[half].kept, " pictures; names decide which is which"));
    sort_by_file(split.train);
    sort_by_file(split.test);
    return split;
}

}  // namespace ltad
