#include "ltad/eval/results.h"

#include <algorithm>
#include <array>

#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/eval/table.h"

namespace ltad {
namespace {

constexpr const char* results_format = "ltad-results/1";

bool belongs(const ClassResult& c, Subset subset) {
    return subset == Subset::all || (subset == Subset::high) == (c.group == Group::high);
}

json scores_to_json(const std::vector<std::string>& names, const std::vector<Figures>& scores) {
    json out = json::object();
    for (std::size_t s = 0; s < names.size(); ++s) out[names[s]] = to_json(scores[s]);
    return out;
}

constexpr std::array subsets = {std::pair(Subset::all, "Avg"), std::pair(Subset::high, "High"),
                                std::pair(Subset::low, "Low")};

/// A table as cells: a heading, the classes, then the means. `add` puts the cells of a class or mean behind the row's
/// own.
template <typename Add>
TableRows cells(const Results& results, const Add& add) {
    TableRows rows;
    for (const ClassResult& c : results.classes) {
        rows.push_back({c.name, std::string(name_of(c.group)), std::to_string(c.train), std::to_string(c.test_good),
                        std::to_string(c.test_defective)});
        add(rows.back(), c.scores);
    }
    const auto add_sum = [&](const char* name, Subset subset, const std::vector<Figures>& scores) {
        std::int64_t train = 0, good = 0, defective = 0;
        for (const ClassResult& c : results.classes) {
            if (!belongs(c, subset)) continue;
            train += c.train;
            good += c.test_good;
            defective += c.test_defective;
        }
        rows.push_back({name, "", std::to_string(train), std::to_string(good), std::to_string(defective)});
        add(rows.back(), scores);
    };
    for (const auto& [subset, name] : subsets) add_sum(name, subset, mean_scores(results, subset));
    add_sum("Mixed", Subset::all, results.mixed);
    return rows;
}

/// Rows below the classes.
constexpr std::size_t sums = subsets.size() + 1;

TableRows auroc_cells(const Results& results) {
    std::vector<std::string> heading{"class", "group", "train", "good", "defective"};
    for (const std::string& name : results.scores) {
        heading.push_back(text(name, " image"));
        heading.push_back(text(name, " pixel"));
    }
    TableRows rows = cells(results, [](std::vector<std::string>& row, const std::vector<Figures>& scores) {
        for (const Figures& score : scores) {
            row.push_back(percent(score.image.auroc));
            row.push_back(percent(score.pixel.auroc));
        }
    });
    rows.insert(rows.begin(), std::move(heading));
    return rows;
}

}  // namespace

std::vector<Figures> mean_scores(const Results& results, Subset subset) {
    std::vector<Figures> means(results.scores.size());
    for (std::size_t s = 0; s < means.size(); ++s) {
        std::vector<Figures> classes;
        for (const ClassResult& c : results.classes)
            if (belongs(c, subset)) classes.push_back(c.scores[s]);
        means[s] = mean_figures(classes);
    }
    return means;
}

json to_json(const Results& results) {
    json classes = json::array();
    for (const ClassResult& c : results.classes)
        classes.push_back({{"name", c.name},
                           {"group", name_of(c.group)},
                           {"train", c.train},
                           {"test_good", c.test_good},
                           {"test_defective", c.test_defective},
                           {"scores", scores_to_json(results.scores, c.scores)}});
    json means = json::object();
    for (const auto& [subset, name] : {std::pair(Subset::all, "all"), {Subset::high, "high"}, {Subset::low, "low"}})
        means[name] = scores_to_json(results.scores, mean_scores(results, subset));
    return {{"format", results_format},
            {"config_sha256", results.config_sha256},
            {"method", results.method},
            {"gives_maps", results.gives_maps},
            {"lambda", number_or_null(results.lambda)},
            {"empty_masks", results.empty_masks},
            {"classes", classes},
            {"mean", means},
            {"mixed", scores_to_json(results.scores, results.mixed)}};
}

std::string format_table(const Results& results) {
    auto rows = auroc_cells(results);
    constexpr std::size_t first_score = 5;
    std::string top;  // the scores' names, each above its pair of columns
    for (std::size_t i = first_score; i < rows[0].size(); ++i) rows[0][i].erase(0, rows[0][i].find(' ') + 1);
    const auto widths = column_widths(rows);
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const bool starts_pair = i >= first_score && (i - first_score) % 2 == 0;
        const std::string cell = starts_pair ? results.scores[(i - first_score) / 2] : "";
        const bool ends_pair = i >= first_score && !starts_pair;
        if (starts_pair) top += "  " + cell + std::string(widths[i] + widths[i + 1] + 2 - cell.size(), ' ');
        if (!starts_pair && !ends_pair) top.append(widths[i] + 2, ' ');
    }
    top.erase(top.find_last_not_of(' ') + 1);
    return top + "\n" + format_rows(rows, 2, sums);
}

std::string format_more_figures(const Results& results, std::size_t score) {
    TableRows rows = cells(results, [score](std::vector<std::string>& row, const std::vector<Figures>& scores) {
        const Figures& f = scores[score];
        for (const auto& figure :
             {f.image.average_precision, f.image.f1_max, f.pixel.average_precision, f.pixel.f1_max, f.region_overlap})
            row.push_back(percent(figure));
    });
    rows.insert(rows.begin(),
                {"class", "group", "train", "good", "defective", "image AP", "F1-max", "pixel AP", "F1-max", "AUPRO"});
    return results.scores[score] + "\n" + format_rows(rows, 2, sums);
}

std::string format_markdown(const Results& results) {
    std::string out;
    const auto rows = auroc_cells(results);
    for (std::size_t r = 0; r < rows.size(); ++r) {
        for (const std::string& cell : rows[r]) out += "| " + markdown_cell(cell) + " ";
        out += "|\n";
        if (r == 0) {
            for (std::size_t i = 0; i < rows[0].size(); ++i) out += i < 2 ? "| --- " : "| ---: ";
            out += "|\n";
        }
    }
    return out;
}

std::string format_csv(const Results& results) {
    std::string out;
    for (const auto& row : auroc_cells(results)) {
        for (std::size_t i = 0; i < row.size(); ++i) out += text(i > 0 ? "," : "", csv_field(row[i]));
        out += "\n";
    }
    return out;
}

std::string format_image_scores(const Results& results) {
    std::string out = "file,class,label";
    for (const std::string& name : results.scores) out += "," + name;
    out += "\n";
    for (const ImageResult& image : results.images) {
        out += text(csv_field(image.file), ',', csv_field(image.class_name), image.defective ? ",1" : ",0");
        for (const float score : image.scores) out += text(',', shortest_digits(score));
        out += "\n";
    }
    return out;
}

}  // namespace ltad
