//! The formats that tensors come in, a file each; [`sniff`] finds out which one a file has.

mod npm_package;
mod onnx;
pub(super) mod pickle;
pub(super) mod safetensors;
pub(super) mod sniff;
mod torch;
pub(super) mod yaml;
