// Uses one thing of each library: a split's counts (base) and the AUROC (with LibTorch).
#include <cstdint>
#include <iostream>
#include <vector>

#include <ltad/eval/roc.h>
#include <ltad/model/reconstruction.h>
#include <ltad/split/split.h>

int main() {
    const auto counts = ltad::requested_counts("step", 100, 391, 15);
    const std::vector<float> scores{0.1f, 0.4f, 0.35f, 0.8f};
    const std::vector<std::uint8_t> labels{0, 0, 1, 1};
    const bool right = counts.front() == 391 && counts.back() == 3 && ltad::auroc(scores, labels) == 0.75 &&
                       ltad::neighbor_mask(14, 7).size(0) == 196;
    std::cout << (right ? "the installed ltad works\n" : "the installed ltad gives wrong results\n");
    return right ? 0 : 1;
}
