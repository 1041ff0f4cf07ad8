#pragma once

#include <initializer_list>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/core/outputs.h"
#include "ltad/data/sample.h"

namespace ltad {

/// From now on no output takes the place of a data set's files: pictures and masks of these samples, and lists that the
/// layout has.
void keep_data_set(Outputs& outputs, const DatasetConfig& dataset,
                   std::initializer_list<const std::vector<Sample>*> samples);

}  // namespace ltad
