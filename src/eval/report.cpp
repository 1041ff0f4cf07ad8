#include "ltad/eval/report.h"

#include <array>
#include <map>

#include <ATen/ATen.h>

#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"
#include "ltad/detect/method.h"
#include "ltad/detect/thresholds.h"
#include "ltad/model/prompts.h"

namespace ltad {
namespace {

constexpr std::int64_t words_per_token = 5;
constexpr const char* interrupted = "interrupted; the results are written, the report is not";

ReportFigures figures_of(const Figures& f) {
    return {.image_auroc = f.image.auroc,
            .pixel_auroc = f.pixel.auroc,
            .image_average_precision = f.image.average_precision,
            .image_f1_max = f.image.f1_max,
            .pixel_average_precision = f.pixel.average_precision,
            .pixel_f1_max = f.pixel.f1_max,
            .aupro = f.region_overlap};
}

std::vector<ReportFigures> figures_of(const std::vector<Figures>& scores) {
    std::vector<ReportFigures> all;
    for (const Figures& f : scores) all.push_back(figures_of(f));
    return all;
}

std::vector<ChartPoint> points_of(const std::vector<RocPoint>& curve) {
    std::vector<ChartPoint> points;
    for (const RocPoint& p : curve) points.push_back({.x = p.false_positive_rate, .y = p.true_positive_rate});
    return points;
}

/// Whether the main score is the method's own, by which ltad-detect judges, and not a part of it.
bool is_main(const Run& run, const Results& results) {
    return results.scores.front() == method_named(run.config().method).scores.front();
}

ReportScore score_of(const Results& results, const ClassResult& c, std::size_t s) {
    ReportScore out{.figures = figures_of(c.scores[s]), .f1_threshold = c.scores[s].image.f1_threshold};
    RankedScores ranked;
    stop_if_interrupted(interrupted);
    for (const ImageResult& image : results.images) {
        if (image.class_name != c.name) continue;
        const std::uint8_t label = image.defective ? 1 : 0;
        ranked.add(std::span(&image.scores[s], 1), std::span(&label, 1));
        (image.defective ? out.defective : out.good).push_back(image.scores[s]);
    }
    out.image_roc = points_of(ranked.roc_curve(curve_points));
    if (s < c.pixel_roc.size()) out.pixel_roc = points_of(c.pixel_roc[s]);
    return out;
}

/// What each class's learned name is near to; none where the method learns no names.
std::vector<std::vector<std::vector<NearestWord>>> name_words(const Prompts* names, std::size_t classes) {
    std::vector<std::vector<std::vector<NearestWord>>> all(classes);
    if (names == nullptr) return all;
    for (std::size_t c = 0; c < classes; ++c) {
        stop_if_interrupted(interrupted);
        for (const auto& token : names->nearest_words(static_cast<std::int64_t>(c), words_per_token)) {
            auto& words = all[c].emplace_back();
            for (const auto& [word, cosine] : token) words.push_back({.word = word, .cosine = cosine});
        }
    }
    return all;
}

std::vector<ReportClass> classes_of(const Run& run, const Prompts* names, const Results& results,
                                    const Thresholds& thresholds) {
    const auto words = name_words(names, run.class_names().size());
    std::vector<ReportClass> classes;
    for (const ClassResult& c : results.classes) {
        ReportClass out{.name = c.name,
                        .group = std::string(name_of(c.group)),
                        .train = c.train,
                        .test_good = c.test_good,
                        .test_defective = c.test_defective,
                        .name_words = words[classes.size()]};
        for (std::size_t s = 0; s < results.scores.size(); ++s) out.scores.push_back(score_of(results, c, s));
        if (is_main(run, results)) out.scores.front().normal_threshold = thresholds.of(c.name).front().threshold;
        classes.push_back(std::move(out));
    }
    return classes;
}

/// The worst and the typical pictures, with the maps of all scores.
class GalleryMaker {
public:
    GalleryMaker(const Run& run, const Detector& detector, const Results& results, const Thresholds& thresholds)
        : run_(run), detector_(detector), results_(results), thresholds_(thresholds) {
        for (const Sample& sample : run.split().test) samples_[sample.file] = &sample;
    }

    void fill(Report& report) const {
        std::vector<GalleryCandidate> candidates;
        for (const ImageResult& image : results_.images)
            candidates.push_back(
                {.class_name = image.class_name, .defective = image.defective, .score = image.scores.front()});
        report.gallery_totals = count_gallery_kinds(candidates);
        for (const GalleryChoice& choice : choose_gallery(candidates)) report.gallery.push_back(item_of(choice));
    }

private:
    [[nodiscard]] GalleryItem item_of(const GalleryChoice& choice) const {
        stop_if_interrupted(interrupted);
        const ImageResult& image = results_.images[choice.index];
        const Sample& sample = *samples_.at(image.file);
        const FeatureSet set = run_.features_of({sample});
        const Detection found = detector_.detect(set, std::array<std::size_t, 1>{0});
        const std::vector<NormalScore>& normal = thresholds_.of(image.class_name);
        std::vector<NamedMap> maps;
        for (std::size_t s = 0; s < found.maps.size(); ++s) {
            const at::Tensor& map = found.maps[s];
            maps.push_back({.name = detector_.scores()[s],
                            .map = {{map.const_data_ptr<float>(), static_cast<std::size_t>(map.numel())},
                                    static_cast<int>(map.size(1))},
                            .range = heat_range(normal[s])});
        }
        std::optional<Mask> mask;
        if (!sample.mask.empty()) mask = read_mask(run_.config().dataset, sample);
        return {.kind = choice.kind,
                .file = image.file,
                .class_name = image.class_name,
                .defective = image.defective,
                .score = image.scores.front(),
                .rank = choice.rank,
                .of = choice.of,
                .panels = gallery_panels(read_image(set.file_of(0), static_cast<int>(run_.layout().bits)), mask, maps)};
    }

    const Run& run_;
    const Detector& detector_;
    const Results& results_;
    const Thresholds& thresholds_;
    std::map<std::string, const Sample*> samples_;
};

/// What trainings have left in the files of the method's parts, a curve for each term.
std::vector<TrainingCurve> training_of(const Run& run) {
    std::vector<TrainingCurve> all;
    for (const MethodPart& part : method_named(run.config().method).parts) {
        const auto file = run.output() / part.file;
        if (!std::filesystem::exists(file)) continue;  // not needed for the score that is evaluated
        std::map<std::string, TrainingCurve> curves;
        for (const json& epoch : history_in(SafetensorsFile(file).metadata())) {
            if (!epoch.is_object() || !epoch.contains("epoch")) continue;
            for (const auto& [term, value] : epoch.items()) {
                if (term == "epoch" || !value.is_number()) continue;
                TrainingCurve& curve = curves[term];
                curve.phase = part.curves_title;
                curve.term = term;
                curve.points.push_back({.x = epoch["epoch"].get<double>(), .y = value.get<double>()});
            }
        }
        for (auto& [term, curve] : curves) all.push_back(std::move(curve));
    }
    return all;
}

std::vector<std::pair<std::string, std::string>> facts_of(const Run& run, const Results& results) {
    const Config& c = run.config();
    const Split& split = run.split();
    std::string how = split.type;
    if (split.type != "import") how += text(", imbalance factor ", split.imbalance_factor);
    std::vector<std::pair<std::string, std::string>> facts = {
        {"method", is_main(run, results) ? c.method : text(c.method, ", ", results.scores.front(), " score alone")},
        {"data set", text(c.dataset.root, " (", c.dataset.layout, ")")},
        {"split", text(how, ": ", split.train.size(), " training pictures of ", split.classes.size(),
                       split.classes.size() == 1 ? " class" : " classes")},
        {"encoder", text(c.encoder.path, ", ", run.layout().image_size, " pixels, grid ", run.layout().grid, " × ",
                         run.layout().grid)},
        {"seed", std::to_string(c.seed)}};
    if (results.lambda) facts.emplace_back("λ", text(*results.lambda));
    facts.emplace_back("program", text("ltad ", version(), " (", git_revision(), ")"));
    return facts;
}

std::vector<std::string> notes_of(const Run& run, const Results& results) {
    std::vector<std::string> notes;
    if (run.encoder().config().random_weights)
        notes.push_back("The encoder has random weights: these figures say nothing about the method.");
    if (!results.gives_maps) notes.push_back("The method scores whole pictures: it has no figures by pixel.");
    if (results.empty_masks > 0)
        notes.push_back(text(counted(results.empty_masks, "defective picture"),
                             " with a mask that is empty at the size of the maps, such as ", results.first_empty_mask,
                             '.'));
    std::string without;
    for (const ClassResult& c : results.classes)
        if (!c.scores.front().image.auroc) without += (without.empty() ? "" : ", ") + c.name;
    if (!without.empty())
        notes.push_back(text(
            "Classes with one label only have no image AUROC and are left out of the image means: ", without, "."));
    return notes;
}

}  // namespace

Report make_report(Run& run, const Detector& detector, const Results& results) {
    const Thresholds thresholds = thresholds_of(run, detector);
    Report report{.title = run.config().name,
                  .facts = facts_of(run, results),
                  .notes = notes_of(run, results),
                  .score_names = results.scores,
                  .classes = classes_of(run, detector.learned_names(), results, thresholds),
                  .has_maps = detector.gives_maps(),
                  .training = training_of(run),
                  .config = to_json(run.config()).dump(2)};
    GalleryMaker(run, detector, results, thresholds).fill(report);
    const auto add_mean = [&](const char* name, const char* meaning, const std::vector<Figures>& scores) {
        report.means.push_back({name, meaning, figures_of(scores)});
    };
    add_mean("Avg", "", mean_scores(results, Subset::all));
    add_mean("High", "", mean_scores(results, Subset::high));
    add_mean("Low", "the classes that the split leaves with few training pictures.", mean_scores(results, Subset::low));
    add_mean("Mixed", "all classes as one, which a single threshold for all would have to tell apart.", results.mixed);
    return report;
}

void write_report(Run& run, const Detector& detector, const Results& results, const std::filesystem::path& folder) {
    const std::string page = render_report(make_report(run, detector, results));
    make_directories(folder);
    const auto file = folder / report_page;
    write_file_atomically(file, page);
    log_info(text("the report is in ", file.string()));
}

}  // namespace ltad
