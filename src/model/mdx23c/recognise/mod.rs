//! Recognises MDX23C networks (TFC-TDF v3) by the names and shapes of their tensors.
//!
//! The reference is the class `TFC_TDF_net` of Music-Source-Separation-Training. The shapes give the
//! layers; [`Facts`] has to state hop length, segment and the stems' names. Reads no files and no
//! tensor values.

use serde_json::json;

use crate::model::{
    Result,
    findings::{EntryFault, Misfit},
    recognition::{Facts, Names, Recognised, Shapes, missing, modules, shape},
};

/// Channels of the sound. The shapes of a mono network with twice the subbands are equal.
const CHANNELS: usize = 2;

/// Most bins of a spectrum.
const MOST_BINS: usize = 1 << 16;

/// Hops of published networks.
const HOPS: [usize; 3] = [1024, 2048, 512];

/// Segments of published networks, in frames.
const CHUNKS: [usize; 3] = [261_120, 523_264, 130_560];

/// Recognises an MDX23C network; `None` when the tensors are of another kind.
pub fn recognise(shapes: &Shapes, facts: &Facts) -> Option<Result<Recognised>> {
    let is_it = shapes.contains_key("encoder_blocks.0.tfc_tdf.blocks.0.tfc1.2.weight")
        && shapes.contains_key("first_conv.weight");
    is_it.then(|| arguments(shapes, facts))
}

fn arguments(shapes: &Shapes, facts: &Facts) -> Result<Recognised> {
    refuse_variants(shapes, facts)?;
    let [channels, inputs, _, _] = shape::<4>(shapes, "first_conv.weight")?;
    let first = "encoder_blocks.0.tfc_tdf.blocks.0.tdf";
    let [narrow, wide] = shape::<2>(shapes, &format!("{first}.2.weight"))?;
    let [down, _, time, freq] = shape::<4>(shapes, "encoder_blocks.0.downscale.conv.2.weight")?;
    let [outputs, _, _, _] = shape::<4>(shapes, "final_conv.2.weight")?;
    let scales = modules(shapes, "encoder_blocks.")?;
    let blocks = modules(shapes, "encoder_blocks.0.tfc_tdf.blocks.")?;
    let Some(growth) = down.checked_sub(channels) else {
        return Err(Misfit::Narrowing { channels, down }.into());
    };
    if !inputs.is_multiple_of(2 * CHANNELS) || !outputs.is_multiple_of(inputs) {
        return Err(Misfit::NotStereo { inputs, outputs }.into());
    }
    let (subbands, count) = (inputs / 2 / CHANNELS, outputs / inputs);
    let factor = bottleneck(facts, wide, narrow)?;
    let dim_f = wide.checked_mul(subbands).filter(|dim_f| *dim_f <= MOST_BINS);
    let Some(dim_f) = dim_f else {
        return Err(Misfit::ManyBins { most: MOST_BINS }.into());
    };
    for (path, found) in [
        (["model", "num_channels"], channels),
        (["model", "growth"], growth),
        (["model", "num_scales"], scales),
        (["model", "num_blocks_per_scale"], blocks),
        (["model", "num_subbands"], subbands),
        (["audio", "dim_f"], dim_f),
        (["audio", "num_channels"], CHANNELS),
    ] {
        facts.agree(&path, found)?;
    }
    if facts.wholes(&["model", "scale"])?.is_some_and(|stated| stated != [time, freq]) {
        let found = [time, freq].as_slice().into();
        return Err(facts.wrong(&["model", "scale"], EntryFault::OtherScale { found }));
    }
    let n_fft = facts.whole(&["audio", "n_fft"])?.unwrap_or(2 * dim_f);
    if n_fft / 2 + 1 < dim_f || n_fft > MOST_BINS {
        return Err(facts.wrong(&["audio", "n_fft"], EntryFault::OtherBins { bins: dim_f }));
    }
    let names = facts.names(count)?;
    let hop = facts.hop(&["audio", "hop_length"], n_fft)?;
    let chunk = facts.chunk(hop, n_fft)?;
    let (Some(hop), Some(chunk), Some(Names { sources, rest })) = (hop, chunk, &names) else {
        return Ok(Recognised::Missing(missing((hop, &HOPS), (chunk, &CHUNKS), (&names, count))));
    };
    let dim_t = spectra(chunk, hop, time, scales)?;
    let mut kwargs = facts.common(chunk)?;
    let own = json!({
        "sources": sources, "rest": rest, "audio_channels": CHANNELS, "n_fft": n_fft,
        "hop_length": hop, "dim_f": dim_f, "dim_t": dim_t, "num_channels": channels,
        "growth": growth, "num_scales": scales, "num_blocks_per_scale": blocks,
        "bottleneck_factor": factor, "num_subbands": subbands, "scale": [time, freq],
        "norm": "InstanceNorm", "act": "gelu",
    });
    kwargs.extend(own.as_object().cloned().unwrap_or_default());
    Ok(Recognised::Complete(kwargs))
}

/// Rejects norms and activations other than those of the published networks.
fn refuse_variants(shapes: &Shapes, facts: &Facts) -> Result<()> {
    let norm = "encoder_blocks.0.tfc_tdf.blocks.0.tfc1.0";
    if shapes.contains_key(&format!("{norm}.running_mean")) {
        return Err(Misfit::BatchNorm.into());
    }
    if !shapes.contains_key(&format!("{norm}.weight")) {
        return Err(Misfit::NoNorm.into());
    }
    for (path, only) in [(["model", "norm"], "InstanceNorm"), (["model", "act"], "gelu")] {
        match facts.text(&path)? {
            Some(stated) if stated != only => {
                let fault = EntryFault::Only { stated: stated.into(), only: only.into() };
                return Err(facts.wrong(&path, fault));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The factor by which the inner layers along frequencies are narrower.
fn bottleneck(facts: &Facts, wide: usize, narrow: usize) -> Result<usize> {
    let path = ["model", "bottleneck_factor"];
    let factor = facts.whole(&path)?.unwrap_or(wide / narrow);
    if factor == 0 || wide / factor != narrow {
        return Err(facts.wrong(&path, EntryFault::Bottleneck { factor, wide, narrow }));
    }
    Ok(factor)
}

/// Number of spectra of a segment; every scale halves it.
fn spectra(chunk: usize, hop: usize, scale: usize, scales: usize) -> Result<usize> {
    let step = u32::try_from(scales).ok().and_then(|scales| scale.checked_pow(scales));
    let spectra = chunk / hop + 1;
    match step {
        Some(step) if spectra.is_multiple_of(step) => Ok(spectra),
        Some(step) => {
            let fitting = (spectra.next_multiple_of(step) - 1) * hop;
            Err(Misfit::Spectra { chunk, hop, spectra, step, fitting }.into())
        }
        None => Err(Misfit::Limit { name: "num_scales".into(), value: scales, most: 12 }.into()),
    }
}

#[cfg(test)]
mod tests;
