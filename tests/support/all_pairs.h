#pragma once

#include <cstddef>
#include <vector>

namespace ltad::test {

/// The AUROC by its definition: of every (defective, good) pair, the share in the right order, a tie counting half.
template <typename Score, typename Label>
double all_pairs(const std::vector<Score>& scores, const std::vector<Label>& labels) {
    double right = 0;
    double pairs = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        for (std::size_t j = 0; j < scores.size(); ++j) {
            if (labels[i] == 0 || labels[j] != 0) continue;
            ++pairs;
            right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
        }
    return right / pairs;
}

}  // namespace ltad::test
