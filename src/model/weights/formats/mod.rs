//! Readers of weight file formats; [`sniff`] detects the format of a file.

mod npm_package;
mod onnx;
pub(super) mod pickle;
pub(super) mod safetensors;
pub(super) mod sniff;
mod torch;
pub(super) mod yaml;
