//! Builds a network from the tensors of a file.

use rayon::prelude::*;

use super::{
    Config, Mdx23c, cost,
    layers::{Block, Decoder, Encoder, TfcTdf},
    spectrogram::Spectrogram,
};
use crate::model::{
    Result, arena,
    kernels::{
        freq_bottleneck::FreqBottleneck,
        map_conv::{DownConv, Head, Pointwise, UpConv},
        norm::Affine,
        winograd::ActivatedWinograd,
    },
    tensors::Tensors,
};

/// Builds every layer; `tensors` have been checked against the configuration.
pub(super) fn network(config: &Config, tensors: &Tensors) -> Result<Mdx23c> {
    let build = Builder { config, tensors };
    let scales = config.num_scales;
    let channels = config.num_channels;
    let spectrum = config.spectrum_channels();
    let first_conv = build.pointwise("first_conv.weight", [channels, spectrum])?;
    let hidden = build.pointwise("final_conv.0.weight", [channels, channels + spectrum])?;
    let outputs = config.usage.sources.len() * spectrum;
    let last = build.pointwise("final_conv.2.weight", [outputs, channels])?;
    let network = Mdx23c {
        spec: cost::spec(config),
        spectrogram: Spectrogram::new(
            config.n_fft,
            config.hop_length,
            config.dim_f,
            config.num_subbands,
            config.usage.segment_frames,
        ),
        final_conv: Head::new(&first_conv, &hidden, &last),
        first_conv,
        encoder_blocks: layers(scales, |index| build.encoder(index))?,
        bottleneck_block: build.blocks("bottleneck_block", scales, config.channels_at(scales))?,
        decoder_blocks: layers(scales, |index| build.decoder(index))?,
    };
    arena::release(); // the buffers of weights that have moved to shared memory
    Ok(network)
}

/// Builds layers in parallel: packing their weights is slow.
fn layers<L: Send>(
    count: usize,
    build: impl Fn(usize) -> Result<L> + Sync + Send,
) -> Result<Vec<L>> {
    (0..count).into_par_iter().map(build).collect()
}

struct Builder<'a> {
    config: &'a Config,
    tensors: &'a Tensors,
}

impl Builder<'_> {
    fn values(&self, name: &str) -> Result<Vec<f32>> {
        self.tensors.values(name)
    }

    fn affine(&self, name: &str) -> Result<Affine> {
        let weight = self.values(&format!("{name}.weight"))?;
        Ok(Affine { weight, bias: self.values(&format!("{name}.bias"))? })
    }

    fn pointwise(&self, name: &str, shape: [usize; 2]) -> Result<Pointwise> {
        Ok(Pointwise::new(&self.values(name)?, shape))
    }

    fn encoder(&self, scale: usize) -> Result<Encoder> {
        let name = format!("encoder_blocks.{scale}");
        let (outer, inner) = (self.config.channels_at(scale), self.config.channels_at(scale + 1));
        let weight = self.values(&format!("{name}.downscale.conv.2.weight"))?;
        Ok(Encoder {
            tfc_tdf: self.blocks(&format!("{name}.tfc_tdf"), scale, outer)?,
            norm: self.affine(&format!("{name}.downscale.conv.0"))?,
            downscale: DownConv::new(&weight, [inner, outer]),
        })
    }

    fn decoder(&self, index: usize) -> Result<Decoder> {
        let name = format!("decoder_blocks.{index}");
        let scale = self.config.num_scales - 1 - index;
        let (outer, inner) = (self.config.channels_at(scale), self.config.channels_at(scale + 1));
        let weight = self.values(&format!("{name}.upscale.conv.2.weight"))?;
        Ok(Decoder {
            norm: self.affine(&format!("{name}.upscale.conv.0"))?,
            upscale: UpConv::new(&weight, [inner, outer]),
            tfc_tdf: self.blocks(&format!("{name}.tfc_tdf"), scale, 2 * outer)?,
        })
    }

    fn blocks(&self, name: &str, scale: usize, inputs: usize) -> Result<TfcTdf> {
        let channels = self.config.channels_at(scale);
        let block = |index: usize| {
            let inputs = if index == 0 { inputs } else { channels };
            self.block(&format!("{name}.blocks.{index}"), scale, inputs)
        };
        Ok(TfcTdf((0..self.config.num_blocks_per_scale).map(block).collect::<Result<_>>()?))
    }

    fn block(&self, name: &str, scale: usize, inputs: usize) -> Result<Block> {
        let channels = self.config.channels_at(scale);
        let conv = |part: &str, inputs: usize| -> Result<_> {
            let weight = self.values(&format!("{name}.{part}.2.weight"))?;
            Ok(ActivatedWinograd::new(&weight, [channels, inputs]))
        };
        Ok(Block {
            norm1: self.affine(&format!("{name}.tfc1.0"))?,
            tfc1: conv("tfc1", inputs)?,
            tdf: FreqBottleneck::new(
                self.affine(&format!("{name}.tdf.0"))?,
                &self.values(&format!("{name}.tdf.2.weight"))?,
                self.affine(&format!("{name}.tdf.3"))?,
                &self.values(&format!("{name}.tdf.5.weight"))?,
                [self.config.freqs_at(scale), self.config.hidden_at(scale)],
            ),
            norm2: self.affine(&format!("{name}.tfc2.0"))?,
            tfc2: conv("tfc2", channels)?,
            shortcut: self.pointwise(&format!("{name}.shortcut.weight"), [channels, inputs])?,
        })
    }
}
