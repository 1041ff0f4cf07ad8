#pragma once

#include <map>
#include <string>
#include <vector>

namespace ltad {

/// A row of one of the paper's tables.
struct PaperRow {
    /// What the row is, in the words of configs/paper_tables.json: {"id", "6.4"}, {"ae_or_vae", "VAE"}, … In tables 3–5
    /// the method alone.
    std::map<std::string, std::string> settings;
    /// AUROC in percent by column: "image high"; in tables 3–5 "exp100 image". No entry where the paper has a dash.
    std::map<std::string, double> figures;

    /// Whether the row has that setting and it is that word.
    [[nodiscard]] bool is(const std::string& setting, const std::string& word) const;
};

/// One of tables 3–9 of Ho et al., "Long-Tailed Anomaly Detection with Learnable Class Names", CVPR 2024.
struct PaperTable {
    std::string dataset;              ///< "MVTec AD", "VisA" or "DAGM"
    std::vector<std::string> splits;  ///< "exp100", …: the columns of tables 3–5; tables 6–9 are of "step100" alone
    std::vector<PaperRow> rows;       ///< in the paper's order
};

/// By name, "table3" … "table9", from a copy of configs/paper_tables.json that is part of the program. Throws Error for
/// any other name.
[[nodiscard]] const PaperTable& paper_table(const std::string& name);

/// The imbalance factors of a data set in the paper's table 2, ascending. Throws Error for an unknown data set.
[[nodiscard]] const std::vector<double>& paper_factors(const std::string& dataset);

}  // namespace ltad
