#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/model/feature_vae.h"
#include "ltad/model/reconstruction.h"
#include "ltad/model/semantic_head.h"
#include "plain.h"
#include "work.h"

namespace ltad::bench {

// What phase 1 and 2 train, each with random features and a plain rendering on the same parameters.

constexpr std::int64_t batch_size = 8;

/// An image encoder and the layout of its features; those of the paper are B7's.
struct Network {
    EfficientNetConfig encoder;
    FeatureLayout layout;
};
[[nodiscard]] EfficientNetConfig efficientnet(double width, double depth, const std::string& activation);
[[nodiscard]] Network b7();
[[nodiscard]] Network lite0();

/// Multiplications and additions of D's forward pass for a picture. A training step has three times as many.
[[nodiscard]] double decoder_flops(const Network& network, const std::string& resolution);

/// The feature VAE with its decoder D.
struct Generating {
    Generating(const Network& network, const std::string& resolution, std::int64_t batch = batch_size);

    [[nodiscard]] at::Tensor ours(bool training) const { return vae.decoder().forward(latents, texts, training); }
    [[nodiscard]] at::Tensor plain(bool training) const;
    /// Makes the batch's statistics the running ones, without which features grow from block to block.
    void settle() const;
    /// Phase 1's loss with the maps that `decode` makes.
    [[nodiscard]] at::Tensor loss(bool plain) const;

    Network network;
    DecoderConfig config;
    Parameters parameters;
    FeatureVae vae;
    Weights weights;
    at::Tensor latents, texts, noise, features;
};

/// Multiplications and additions of Π's forward pass over a picture. A training step has three times as many.
[[nodiscard]] double reconstruction_flops(const ReconstructionConfig& config, std::int64_t tokens,
                                          std::int64_t channels);

/// The reconstruction module Π at the paper's sizes.
struct Rebuilding {
    explicit Rebuilding(const std::string& precision = "float32");

    [[nodiscard]] at::Tensor ours(const at::Tensor& tokens, bool training) const {
        return module.forward(tokens, training);
    }
    [[nodiscard]] at::Tensor plain(const at::Tensor& tokens, bool training) const;

    FeatureLayout layout;
    ReconstructionConfig config;
    Parameters parameters;
    Reconstruction module;
    Weights weights;
    at::Tensor mask, normal, abnormal;
};

/// The semantic head Φ at the paper's sizes, 15 classes.
struct Comparing {
    static constexpr std::int64_t classes = 15;

    Comparing();

    [[nodiscard]] at::Tensor ours(const at::Tensor& tokens) const { return head.logits(tokens, labels); }
    [[nodiscard]] at::Tensor plain(const at::Tensor& tokens) const;
    [[nodiscard]] at::Tensor loss(bool plain) const;
    [[nodiscard]] double flops() const;

    FeatureLayout layout;
    std::int64_t text_dim;
    Parameters parameters;
    SemanticHead head;
    Weights weights;
    at::Tensor labels, normal_texts, abnormal_texts, normal, abnormal;
};

/// The gradients of all that is trained, in one vector.
[[nodiscard]] at::Tensor gradients(const Parameters& parameters);

}  // namespace ltad::bench
