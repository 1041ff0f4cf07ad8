#pragma once

#include "ltad/config/pretrain_config.h"
#include "ltad/train/trainee.h"

namespace ltad {

/// Contrastive training on picture-caption pairs. Writes to config.output_path(): config.json, metrics.jsonl (a line
/// for each epoch), report.json (measures on held-out pairs before and after), updates.safetensors (what
/// `ltad-pretrain import --projection` takes) and model/, a complete model directory. Progress and measures go to
/// stderr and stdout. Resumable to the same bits; a finished one says so and does nothing unless options.force.
/// Throws Error naming the file, Interrupted after a saved Ctrl-C.
void train_contrastive(const PretrainConfig& config, const TrainOptions& options);

}  // namespace ltad
