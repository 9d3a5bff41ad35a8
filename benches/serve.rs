//! The model as a server for `peers.py`: separates segments and measures the time.
//!
//! Standard input carries segments, each `[channels, segment_frames]` as little-endian f32.
//! Standard output answers each with the seconds as one f64 and the stems, `[sources, channels,
//! segment_frames]`. Once the model is loaded, and before any segment, standard output carries the
//! numbers of frames and of stems as two u32.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    time::Instant,
};

use anyhow::Result;
use partita::model::Separator;
use rayon::ThreadPool;

pub fn serve(network: &dyn Separator, pool: &ThreadPool) -> Result<()> {
    let spec = network.spec();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    for number in [spec.segment_frames, spec.sources.len()] {
        output.write_all(&(number as u32).to_le_bytes())?;
    }
    output.flush()?;
    let mut mix = vec![0.0_f32; spec.channels * spec.segment_frames];
    loop {
        match input.read_exact(bytemuck::cast_slice_mut(&mut mix)) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            result => result?,
        }
        let start = Instant::now();
        let stems = pool.install(|| network.separate(&mix))?;
        let seconds = start.elapsed().as_secs_f64();
        output.write_all(&seconds.to_le_bytes())?;
        output.write_all(bytemuck::cast_slice(&stems))?;
        output.flush()?;
    }
}
