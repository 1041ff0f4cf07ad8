#include "ltad/repro/execute.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/data/dataset.h"
#include "ltad/eval/evaluate.h"
#include "ltad/eval/table.h"
#include "ltad/repro/estimate.h"
#include "ltad/repro/time_left.h"
#include "part_index.h"

namespace ltad {
namespace {

Phase2Part part_of(const PlannedRun& run) {
    const auto trains = [&](PartKind kind) {
        return std::any_of(run.parts.begin(), run.parts.end(), [kind](const PlannedPart& p) { return p.kind == kind; });
    };
    if (run.config.method != "ltad") return Phase2Part::both;
    if (!trains(PartKind::semantic)) return Phase2Part::reconstruction;
    return trains(PartKind::reconstruction) ? Phase2Part::both : Phase2Part::semantic;
}

/// Where the results of a run's planned parts are kept: tables that read other parts of the same run have files of
/// their own. eval/results.json is the last evaluation's.
std::filesystem::path results_file(const PlannedRun& run) {
    const Phase2Part part = part_of(run);
    const char* name = part == Phase2Part::both             ? "results.json"
                       : part == Phase2Part::reconstruction ? "results-reconstruction.json"
                                                            : "results-semantic.json";
    return std::filesystem::path(run.config.output) / name;
}

/// The results of a run whose parts are evaluated as they are; else nothing. The run's folder is named by its settings.
std::optional<json> finished_results(const PlannedRun& run) {
    const auto file = results_file(run);
    if (!std::filesystem::exists(file)) return std::nullopt;
    for (const PlannedPart& part : run.parts)
        if (!std::filesystem::exists(part_file(run, part.kind)) ||
            std::filesystem::last_write_time(part_file(run, part.kind)) > std::filesystem::last_write_time(file))
            return std::nullopt;
    try {
        json results = read_json(file);
        for (const std::string& score : run.scores)
            if (!results.at("mean").at("all").contains(score)) return std::nullopt;
        return results;
    } catch (const std::exception& error) {
        log_warning(text(file.string(), ": is damaged and made again (", error.what(), ")"));
        return std::nullopt;
    }
}

/// Removes a part that is damaged, or was made with what is no longer there, such as another phase 1: it would be
/// refused with every call anew, and is trained again.
void remove_useless(const std::filesystem::path& file, const json& settings) {
    if (!std::filesystem::exists(file)) return;
    try {
        check_checkpoint(SafetensorsFile(file).metadata(), settings, file);
    } catch (const Error& error) {
        log_warning(text("removed and trained again: ", error.what()));
        std::filesystem::remove(file);
    }
}

std::int64_t training_pictures(const Config& config) {
    const Split split = config.split.path.empty() ? make_split(list_dataset(config.dataset), config.split, config.seed)
                                                  : read_split(config.split.path);
    return static_cast<std::int64_t>(split.train.size());
}

/// Seconds of a step by kind and what shapes it, each measured once.
class StepTimes {
public:
    double of(PartKind kind, const PlannedRun& run, std::int64_t pictures) {
        const json all = to_json(run.config);
        json shape = {std::string(name_of(kind)), all["encoder"], all["dataset"]["image_size"]};
        for (const char* section : {"decoder", "reconstruction", "semantic", "phase1", "phase2", "patchcore"})
            if (depends(kind, section)) shape.push_back(all[section]);
        const auto [found, is_new] = seconds_.try_emplace(shape.dump(), 0);
        if (is_new) found->second = step_seconds(kind, Run(run.config), pictures);
        return found->second;
    }

private:
    static bool depends(PartKind kind, std::string_view section) {
        if (kind == PartKind::phase1) return section == "phase1" || section == "decoder";
        if (kind == PartKind::patchcore) return section == "patchcore";
        return section == "phase2" || section == (kind == PartKind::semantic ? "semantic" : "reconstruction");
    }

    std::map<std::string, double> seconds_;
};

/// Trains one run, taking over what others have trained.
class RunTrainer {
public:
    RunTrainer(const PlannedRun& planned, PartIndex& index) : planned_(planned), index_(index), run_(planned.config) {}

    /// `next`: called before each training with the parts that it makes; pictures are encoded before the first.
    void train(const std::function<void(std::span<const PlannedPart>)>& next) {
        run_.prepare_features(false);
        const std::span<const PlannedPart> parts(planned_.parts);
        make(parts.first(1), next);
        // Π and Φ go through the pictures together: the synthetic features, the most of the work, are made once.
        if (parts.size() > 1) make(parts.subspan(1), next);
    }

    json evaluate() {
        const auto detector = load_detector(run_, part_of(planned_));
        const Results results = ltad::evaluate(run_, *detector);
        write_results(run_, results);
        json document = to_json(results);
        write_json(results_file(planned_), document);
        return document;
    }

private:
    void make(std::span<const PlannedPart> parts, const std::function<void(std::span<const PlannedPart>)>& next) {
        next(parts);
        for (const PlannedPart& part : parts) {
            const auto file = part_file(planned_, part.kind);
            const json settings = settings_of(part.kind);
            remove_useless(file, settings);
            remove_useless(std::filesystem::path(file).replace_extension(".state.safetensors"), settings);
            take_over(part, settings);
        }
        const TrainOptions options{.resume = true, .print_report = false};
        switch (parts.front().kind) {
            case PartKind::phase1:
                train_phase1(run_, options);
                break;
            case PartKind::reconstruction:
            case PartKind::semantic:
                train_phase2(run_, part_of(planned_), options);
                break;
            case PartKind::uniad:
            case PartKind::patchcore:
                fit_detector(run_, options);
                break;
        }
        for (const PlannedPart& part : parts) index_.add(part, part_file(planned_, part.kind));
    }

    [[nodiscard]] json settings_of(PartKind kind) const {
        switch (kind) {
            case PartKind::phase1:
                return run_.phase1_settings();
            case PartKind::reconstruction:
                return phase2_settings(run_, Phase2Part::reconstruction);
            case PartKind::semantic:
                return phase2_settings(run_, Phase2Part::semantic);
            case PartKind::uniad:
            case PartKind::patchcore:
                return fitted_settings(run_);
        }
        fail("a part of no known kind");
    }

    /// Links the finished file of another run, where there is one and its settings are this run's: files are replaced,
    /// never written to.
    void take_over(const PlannedPart& part, const json& settings) {
        const auto target = part_file(planned_, part.kind);
        const auto source = index_.find(part);
        if (!source || std::filesystem::exists(target)) return;
        try {
            check_checkpoint(SafetensorsFile(*source).metadata(), settings, *source);
        } catch (const Error& error) {
            log_warning(text("trained again: ", error.what()));
            return;
        }
        make_directories(target.parent_path());
        std::error_code code;
        std::filesystem::create_hard_link(*source, target, code);
        if (code && code != std::errc::file_exists)  // another process's
            write_file_atomically(target, MappedFile(*source).bytes());
    }

    const PlannedRun& planned_;
    PartIndex& index_;
    Run run_;
};

/// Says before each progress line how far the whole table is.
class Overall {
public:
    Overall(std::string title, std::size_t runs, const ReproWork& work)
        : title_(std::move(title)), runs_(runs), left_(work.seconds()) {
        frame_progress([this](double share) { return frame(share); });
    }
    ~Overall() { frame_progress({}); }
    Overall(const Overall&) = delete;
    Overall& operator=(const Overall&) = delete;

    void begin_run(std::size_t run) { run_ = run; }
    void begin_training(double planned_seconds) { left_.begin_training(planned_seconds); }
    void end_training() { left_.end_training(); }

private:
    [[nodiscard]] std::string frame(double share) const {
        std::string line = text(title_, ", run ", run_ + 1, " of ", runs_);
        const double seconds = left_.seconds(share);
        if (seconds > 0) line += text(", ", format_duration(seconds), " of training left");
        return line + " | ";
    }

    std::string title_;
    std::size_t runs_;
    TimeLeft left_;
    std::size_t run_ = 0;
};

std::string why_no_figure(const TableColumn& column) {
    const std::string classes = column.subset == "all" ? "class" : "class of the group " + column.subset;
    return column.task == "pixel" ? text("no ", classes, " has masks")
                                  : text("no ", classes, " has both good and defective test pictures");
}

double planned_seconds(const ReproWork& work, std::size_t run, std::span<const PlannedPart> parts) {
    double seconds = 0;
    for (const ReproWork::Item& item : work.items)
        if (item.run == run && std::any_of(parts.begin(), parts.end(),
                                           [&](const PlannedPart& part) { return part.kind == item.part.kind; }))
            seconds += item.seconds;
    return seconds;
}

}  // namespace

double ReproWork::seconds() const {
    double sum = 0;
    for (const Item& item : items) sum += item.seconds;
    return sum;
}

ReproWork survey(const ReproPlan& plan, const std::filesystem::path& root) {
    const PartIndex index(root);
    StepTimes times;
    ReproWork work;
    std::set<std::string> coming;
    for (std::size_t r = 0; r < plan.runs.size(); ++r) {
        const PlannedRun& run = plan.runs[r];
        work.no_data.emplace_back();
        if (!run.refused.empty()) continue;
        if (!std::filesystem::is_directory(run.config.dataset.root)) {
            work.no_data.back() = run.config.dataset.root + " is not there";
            continue;
        }
        if (finished_results(run)) {
            ++work.finished_runs;
            work.reused += run.parts.size();
            continue;
        }
        const std::int64_t pictures = training_pictures(run.config);
        for (const PlannedPart& part : run.parts) {
            if (std::filesystem::exists(part_file(run, part.kind)) || index.find(part) ||
                !coming.insert(part.key).second) {
                ++work.reused;
                continue;
            }
            const std::int64_t steps = step_count(part.kind, run.config, pictures, run.config.grid());
            double seconds = 0;
            try {
                seconds = times.of(part.kind, run, pictures);
            } catch (const Error& error) {
                log_warning(text(run.label, ": ", error.what()));
            }
            work.items.push_back({r, part, steps, static_cast<double>(steps) * seconds});
        }
    }
    return work;
}

std::string describe(const ReproPlan& plan, const ReproWork& work) {
    std::map<PartKind, ReproWork::Item> sums;
    std::map<PartKind, std::size_t> counts;
    for (const ReproWork::Item& item : work.items) {
        sums[item.part.kind].steps += item.steps;
        sums[item.part.kind].seconds += item.seconds;
        ++counts[item.part.kind];
    }
    TableRows rows{{"to train", "parts", "steps", "time"}};
    for (const auto& [kind, sum] : sums)
        rows.push_back({std::string(name_of(kind)), std::to_string(counts[kind]), std::to_string(sum.steps),
                        format_duration(sum.seconds)});
    rows.push_back({"all", std::to_string(work.items.size()), "", format_duration(work.seconds())});
    std::string out = text(plan.runs.size(), " runs, ", work.finished_runs, " of them finished; ", work.reused,
                           " parts are reused\n");
    std::size_t absent = 0;
    for (const std::string& why : work.no_data) absent += why.empty() ? 0 : 1;
    if (absent > 0)
        out += text(absent, " runs have no data: ",
                    *std::find_if(work.no_data.begin(), work.no_data.end(), [](const auto& w) { return !w.empty(); }),
                    "\n");
    for (const PlannedRun& run : plan.runs)
        if (!run.refused.empty()) out += text(run.label, " cannot run: ", run.refused, "\n");
    return out + format_rows(rows, 1, 1);
}

std::vector<RunOutcome> execute(const ReproPlan& plan, const ReproWork& work, const std::filesystem::path& root,
                                const std::string& title) {
    PartIndex index(root);
    Overall overall(title, plan.runs.size(), work);
    std::vector<RunOutcome> outcomes(plan.runs.size());
    for (std::size_t r = 0; r < plan.runs.size(); ++r) {
        const PlannedRun& run = plan.runs[r];
        RunOutcome& outcome = outcomes[r];
        outcome.why = run.refused;
        outcome.absent = !work.no_data[r].empty();
        if (!outcome.why.empty() || outcome.absent) continue;
        if ((outcome.results = finished_results(run))) continue;
        log_info(text(title, ", run ", r + 1, " of ", plan.runs.size(), ": ", run.label, " in ", run.config.output));
        try {
            overall.begin_run(r);
            RunTrainer trainer(run, index);
            trainer.train([&](auto parts) { overall.begin_training(planned_seconds(work, r, parts)); });
            overall.end_training();
            outcome.results = trainer.evaluate();
        } catch (const Interrupted&) {
            throw;
        } catch (const std::exception& error) {
            outcome.why = error.what();
            log_error(text(run.label, ": ", outcome.why));
        }
    }
    return outcomes;
}

CellGrid read_cells(const ReproTable& table, const ReproPlan& plan, const std::vector<RunOutcome>& outcomes) {
    CellGrid cells(table.rows.size(), std::vector<CellValues>(table.columns.size()));
    for (std::size_t r = 0; r < table.rows.size(); ++r)
        for (std::size_t c = 0; c < table.columns.size(); ++c)
            for (const std::size_t run : plan.cells[r][c]) {
                const RunOutcome& outcome = outcomes[run];
                CellValues& cell = cells[r][c];
                if (!outcome.results) {
                    if (!outcome.absent && cell.why_empty.empty()) cell.why_empty = outcome.why;
                    continue;
                }
                const TableColumn& column = table.columns[c];
                const json& value =
                    outcome.results->at("mean").at(column.subset).at(table.rows[r].score).at(column.task + "_auroc");
                if (value.is_number())
                    cell.seeds.push_back(100 * value.get<double>());
                else if (cell.why_empty.empty())
                    cell.why_empty = why_no_figure(column);
            }
    return cells;
}

}  // namespace ltad
