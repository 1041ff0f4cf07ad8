#include <algorithm>
#include <cmath>
#include <map>
#include <new>
#include <optional>

#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/parallel.h"
#include "ltad/data/mask.h"

namespace ltad {
namespace {

/// What was seen of one sample's mask, or what is wrong with it.
struct Seen {
    MaskLook look;
    std::string problem;
};

std::string percent(double share) { return text(std::round(share * 1000) / 10, " %"); }

/// Why a picture is no mask; empty where it can be one.
std::string why_no_mask(const MaskLook& look) {
    if (look.soft && look.between > 0.5)
        return text("grey levels all over (", percent(look.between),
                    " of its pixels lie between dark and bright): a picture rather than a mask; masks are zero where "
                    "there is no defect");
    if (!look.soft && look.zero == 0 && look.values > 1)
        return text("no pixel of this mask is zero, and it has ", look.values, " values up to ", look.largest,
                    ", so that all of it would be a defect; give the background the value 0");
    return {};
}

/// Empty for a picture that cannot be read: its own fault, which is found where pictures are read.
std::optional<PictureHeader> header_if_any(const std::filesystem::path& file) {
    try {
        return read_picture_header(file);
    } catch (const Error&) {
        return std::nullopt;
    }
}

Seen look_at(const DatasetConfig& dataset, const Sample& sample) {
    const std::filesystem::path root = dataset.root;
    const std::string name = (root / sample.mask).string();
    const auto picture = header_if_any(root / sample.file);
    Seen seen;
    try {
        const ReadMask read = mask_of(read_raster(name), name, dataset.masks == "background");
        seen.look = read.look;
        if (picture) check_mask_size(dataset, sample, read.mask, picture->width, picture->height);
        if (const std::string why = why_no_mask(read.look); !why.empty() && dataset.masks != "unchecked")
            seen.problem = name + ": " + why;
    } catch (const Error& error) {
        seen.problem = error.what();
    } catch (const std::bad_alloc&) {
        seen.problem = name + ": there is not enough memory for it";
    }
    return seen;
}

/// The masks of one class with something in common.
struct Some {
    std::size_t count = 0;
    std::string first;
    MaskLook look;

    void add(const Sample& sample, const MaskLook& seen) {
        if (count++ > 0) return;
        first = sample.mask;
        look = seen;
    }
};

struct ClassMasks {
    std::size_t count = 0;
    Some soft, labels, empty, full, framed;

    void add(const Sample& sample, const MaskLook& look) {
        ++count;
        if (look.soft && look.values > 1) soft.add(sample, look);
        if (!look.soft && look.values > most_labels) labels.add(sample, look);
        if (look.defective == 0) empty.add(sample, look);
        if (look.defective > 0.95) full.add(sample, look);
        if (look.defective > 0.5 && look.border_defective >= 0.9) framed.add(sample, look);
    }
};

void warn(const std::string& root, const std::string& name, const ClassMasks& masks) {
    const auto say = [&](const Some& some, const auto&... words) {
        if (some.count > 0)
            log_warning_once(text(root, ": class '", name, "': ", some.count, " of ", masks.count, " masks ", words...,
                                  ", e.g. ", some.first));
    };
    say(masks.soft, "have grey levels (", masks.soft.look.values,
        " values), as soft edges have; those below half of the range count as background, also if they are labels");
    say(masks.labels, "have many values (", masks.labels.look.values, ", up to ", masks.labels.look.largest,
        "), all below half of the range; they are taken for labels, all but 0 counting as defective");
    say(masks.empty, "of defective pictures mark no defect (transparency is no part of a mask)");
    say(masks.full, "mark more than 95 % of their pictures");
}

std::string filled(const std::string& root, const std::string& name, const ClassMasks& masks) {
    return text(
        root, ": class '", name, "': ", masks.framed.count, " of ", masks.count,
        " masks mark their whole picture, e.g. ", masks.framed.first,
        ", so that they tell no pixel from another; remove the class's masks (it is labelled by image then), or "
        "set dataset.masks to \"unchecked\" where they are right. (Transparency is no part of a mask.)");
}

std::string inverted(const std::string& root, const std::string& name, const ClassMasks& masks, bool background) {
    return text(root, ": class '", name, "': ", masks.framed.count, " of ", masks.count,
                " masks mark most of their pictures as defective, borders included, e.g. ", masks.framed.first, " (",
                percent(masks.framed.look.defective), "); are they inverted? ",
                background ? "dataset.masks is \"background\": zero counts as defective. " : "All but 0 is defective. ",
                "Turn them round, or set dataset.masks to ",
                background ? "\"defects\" where zero is the background" : "\"background\" where zero means defective",
                ", or to \"unchecked\" where they are right");
}

}  // namespace

std::vector<std::string> problems_of_masks(const DatasetConfig& dataset, const std::vector<Sample>& samples,
                                           std::size_t threads) {
    std::vector<Sample> with_mask;
    std::copy_if(samples.begin(), samples.end(), std::back_inserter(with_mask),
                 [](const Sample& sample) { return !sample.mask.empty(); });
    std::vector<Seen> seen(with_mask.size());
    for_each_index(with_mask.size(), threads, [&](std::size_t i) {
        stop_if_interrupted("interrupted while masks were checked");
        seen[i] = look_at(dataset, with_mask[i]);
    });
    std::vector<std::string> problems;
    std::map<std::string, ClassMasks> classes;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        if (seen[i].problem.empty())
            classes[with_mask[i].class_name].add(with_mask[i], seen[i].look);
        else
            problems.push_back(seen[i].problem);
    }
    for (const auto& [name, masks] : classes) {
        if (2 * masks.framed.count > masks.count && dataset.masks != "unchecked")
            problems.push_back(masks.framed.look.defective == 1
                                   ? filled(dataset.root, name, masks)
                                   : inverted(dataset.root, name, masks, dataset.masks == "background"));
        else
            warn(dataset.root, name, masks);
    }
    return problems;
}

void check_masks(const DatasetConfig& dataset, const std::vector<Sample>& samples, std::size_t threads) {
    const auto problems = problems_of_masks(dataset, samples, threads);
    if (problems.empty()) return;
    const std::size_t more = problems.size() - 1;
    fail(problems.front(),
         more > 0 ? text(" (and ", more, more == 1 ? " mask or class" : " masks or classes", " more)") : std::string());
}

}  // namespace ltad
