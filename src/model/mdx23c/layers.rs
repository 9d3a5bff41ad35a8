//! Blocks and scales of the network. Fields are named as PyTorch's modules.
//!
//! Layers own weights and call kernels; they run on the rayon pool of the caller.

use crate::model::kernels::{
    FreqMap,
    activation::{Activation, channel_moments},
    freq_bottleneck::FreqBottleneck,
    map_conv::{DownConv, Pointwise, UpConv},
    norm::{Affine, Moments},
    winograd::ActivatedWinograd,
};

/// A map with the moments of its channels, for the norms that read it.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The activation.
    pub map: FreqMap,
    moments: Vec<Moments>,
}

impl Measured {
    /// Measures a map.
    pub fn new(map: FreqMap) -> Self {
        Self { moments: channel_moments(&map), map }
    }

    /// The norm of all channels.
    fn activation(&self, norm: &Affine) -> Activation {
        Activation::new(norm, self.moments.iter().copied())
    }
}

/// Two 3×3 convolutions with linear layers along frequencies between them, and a shortcut past all.
#[derive(Clone, Debug)]
pub struct Block {
    /// Norm of the input.
    pub norm1: Affine,
    /// First convolution.
    pub tfc1: ActivatedWinograd,
    /// Linear layers.
    pub tdf: FreqBottleneck,
    /// Norm before the second convolution.
    pub norm2: Affine,
    /// Second convolution.
    pub tfc2: ActivatedWinograd,
    /// 1×1 convolution of the input, which is added to the result.
    pub shortcut: Pointwise,
}

impl Block {
    /// The result for parts whose channels follow each other.
    fn forward(&self, parts: Vec<Measured>) -> Measured {
        let moments = parts.iter().flat_map(|part| part.moments.iter().copied());
        let activation = Activation::new(&self.norm1, moments);
        let maps: Vec<&FreqMap> = parts.iter().map(|part| &part.map).collect();
        let mut y = self.tfc1.forward(&maps, &activation);
        let mut out = self.shortcut.forward(&maps);
        drop(maps);
        drop(parts);
        let moments = self.tdf.apply(&mut y);
        self.tfc2.add_to(&y, &Activation::new(&self.norm2, moments), &mut out);
        Measured::new(out)
    }
}

/// The blocks of a scale.
#[derive(Clone, Debug)]
pub struct TfcTdf(pub Vec<Block>);

impl TfcTdf {
    /// The result for parts whose channels follow each other.
    pub fn forward(&self, parts: Vec<Measured>) -> Option<Measured> {
        self.0.iter().fold(parts, |parts, block| vec![block.forward(parts)]).pop()
    }
}

/// A scale of the encoder.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Blocks.
    pub tfc_tdf: TfcTdf,
    /// Norm before the next scale.
    pub norm: Affine,
    /// Convolution to the next scale.
    pub downscale: DownConv,
}

impl Encoder {
    /// The input of the next scale.
    pub fn down(&self, x: &Measured) -> Measured {
        Measured::new(self.downscale.forward(&x.map, &x.activation(&self.norm)))
    }
}

/// A scale of the decoder.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Norm of the last scale.
    pub norm: Affine,
    /// Convolution from the last scale.
    pub upscale: UpConv,
    /// Blocks.
    pub tfc_tdf: TfcTdf,
}

impl Decoder {
    /// This scale's input from the last one.
    pub fn up(&self, x: &Measured) -> Measured {
        Measured::new(self.upscale.forward(&x.map, &x.activation(&self.norm)))
    }
}
