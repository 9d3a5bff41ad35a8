//! Apple Lossless codec: turns packets of samples into packets of bytes, each decodable
//! independently.
//!
//! The codec handles no container, file or thread. A packet is coded with the [`Way`] that won the
//! last trial of all ways, or stored verbatim if that is shorter. A packet is therefore never
//! longer than its samples plus nine bytes.
//!
//! Source: Apple's published description and reference decoder of ALAC (2011), version 0 of the
//! format: mixed stereo, an adaptive linear predictor, adaptive Golomb codes.

/// Frames of every packet but the last; every reader supports this size.
pub const PACKET_FRAMES: usize = 4096;

/// Number of predictor coefficients.
const ORDER: usize = 8;
/// All ways are tried every fourth packet: twice as fast as trying always, for half a percent more
/// length.
const TRY_ALL: usize = 4;
/// Fractional bits of a coefficient.
const POINT: u32 = 9;
/// Initial coefficients of a predictor, newest sample first: 38/16, -29/16 and -2/16.
const BEGIN: [i32; ORDER] = [1216, -928, -64, 0, 0, 0, 0, 0];
/// Bound of a coefficient at the start of a packet. Coefficients move by at most one per frame, so
/// they stay within 16 bits during the packet.
const FARTHEST: i32 = i16::MAX as i32 - PACKET_FRAMES as i32;

/// Adaptation rate of the Golomb coder's mean, its initial value, and the widest parameter: the
/// constants of Apple's encoder.
const FOLLOW: u32 = 40;
const FIRST_MEAN: u32 = 10;
const WIDEST: u32 = 14;
/// Fractional bits of the mean.
const MEAN_POINT: u32 = 9;
/// Length of the prefix of ones that announces an escaped, verbatim number.
const ESCAPE: u32 = 9;

/// Stereo mixing weights are in quarters.
const MIX_BITS: u32 = 2;

const MONO_ELEMENT: u32 = 0;
const PAIR_ELEMENT: u32 = 1;
const END: u32 = 7;

/// Encoder of one stream. Its memory is a few packets, regardless of the length.
pub struct Codec {
    channels: usize,
    bits: u32,
    ways: Vec<Way>,
    /// Index of the way that won the last trial, and the number of packets since then.
    way: usize,
    since: usize,
    best: Bits,
    trial: Bits,
}

impl Codec {
    /// Creates a codec for 1 or 2 channels of integers of 16 or 24 bits.
    pub fn new(channels: u16, bits: u16) -> Self {
        let mixes: &[i32] = if channels == 2 { &[0, 2] } else { &[0] };
        let shifts: &[u32] = if bits > 16 { &[0, 8] } else { &[0] };
        let ways = shifts
            .iter()
            .flat_map(|&shift| mixes.iter().map(move |&mix| Way::new(shift, mix)))
            .collect();
        Self {
            channels: usize::from(channels),
            bits: u32::from(bits),
            ways,
            way: 0,
            since: TRY_ALL,
            best: Bits::default(),
            trial: Bits::default(),
        }
    }

    /// Builds the `ALACSpecificConfig` (24 bytes) for decoders, once all packets are coded.
    /// `longest` is in bytes per packet, `average` in bits per second.
    pub fn cookie(&self, rate: u32, longest: u32, average: u32) -> Vec<u8> {
        /// Fixed value that no decoder uses.
        const LONGEST_RUN: u16 = 255;
        let mut out = Vec::with_capacity(24);
        out.extend((PACKET_FRAMES as u32).to_be_bytes());
        out.push(0); // version
        out.push(self.bits as u8);
        out.extend([FOLLOW as u8, FIRST_MEAN as u8, WIDEST as u8]);
        out.push(self.channels as u8);
        out.extend(LONGEST_RUN.to_be_bytes());
        out.extend(longest.to_be_bytes());
        out.extend(average.to_be_bytes());
        out.extend(rate.to_be_bytes());
        out
    }

    /// Codes interleaved samples of at most [`PACKET_FRAMES`] frames; only the last packet may be
    /// shorter.
    pub fn encode(&mut self, samples: &[i32]) -> &[u8] {
        let frames = samples.len() / self.channels;
        self.best.clear();
        self.verbatim(samples, frames);
        // A predictor needs some samples to start from.
        if frames > 2 * ORDER {
            self.try_ways(samples, frames);
        }
        &self.best.bytes
    }

    fn try_ways(&mut self, samples: &[i32], frames: usize) {
        let tries_all = self.since >= TRY_ALL;
        self.since = if tries_all { 1 } else { self.since + 1 };
        let usual = self.way;
        let ways = self.ways.iter_mut().enumerate();
        for (number, way) in ways.filter(|(number, _)| tries_all || *number == usual) {
            self.trial.clear();
            header(&mut self.trial, self.channels, frames, way.shift, false);
            let fits = if self.channels == 2 {
                way.pair(samples, self.bits, &mut self.trial)
            } else {
                way.mono(samples, self.bits, &mut self.trial)
            };
            self.trial.end();
            if fits && self.trial.bytes.len() < self.best.bytes.len() {
                std::mem::swap(&mut self.best, &mut self.trial);
                self.way = number;
            }
        }
    }

    fn verbatim(&mut self, samples: &[i32], frames: usize) {
        header(&mut self.best, self.channels, frames, 0, true);
        for &x in samples {
            self.best.put(x as u32, self.bits);
        }
        self.best.end();
    }
}

/// Writes the start of a packet: its single element, and its length if shorter than usual.
fn header(out: &mut Bits, channels: usize, frames: usize, shift: u32, verbatim: bool) {
    let is_short = frames != PACKET_FRAMES;
    out.put(if channels == 2 { PAIR_ELEMENT } else { MONO_ELEMENT }, 3);
    out.put(0, 4 + 12); // the element's number, and unused bits
    out.put(u32::from(is_short), 1);
    out.put(shift / 8, 2);
    out.put(u32::from(verbatim), 1);
    if is_short {
        out.put(frames as u32, 32);
    }
}

/// One way to code a packet. Predictors persist between packets, because adapted coefficients
/// predict the next packet better. The coefficients are written into each packet, so decoders need
/// no history.
struct Way {
    /// Low bits stored verbatim because they hold only noise: 0 or 8.
    shift: u32,
    /// Quarters of left in the first channel, the remainder being right; the second channel is then
    /// the difference. 0 keeps left and right separate.
    mix: i32,
    predictors: [Predictor; 2],
    /// The mixed channels, and the residuals of one channel.
    mixed: [Vec<i32>; 2],
    residuals: Vec<i32>,
}

impl Way {
    fn new(shift: u32, mix: i32) -> Self {
        let room = || Vec::with_capacity(PACKET_FRAMES);
        Self {
            shift,
            mix,
            predictors: [Predictor::new(), Predictor::new()],
            mixed: [room(), room()],
            residuals: room(),
        }
    }

    /// Writes the part after the header; returns false if decoders might disagree on the result.
    fn pair(&mut self, samples: &[i32], bits: u32, out: &mut Bits) -> bool {
        let (shift, mix) = (self.shift, self.mix);
        self.mixed.iter_mut().for_each(Vec::clear);
        for frame in samples.chunks_exact(2) {
            let (left, right) = (frame[0] >> shift, frame[1] >> shift);
            let (first, second) = match mix {
                0 => (left, right),
                _ => ((mix * left + ((1 << MIX_BITS) - mix) * right) >> MIX_BITS, left - right),
            };
            self.mixed[0].push(first);
            self.mixed[1].push(second);
        }
        out.put(MIX_BITS, 8);
        out.put(mix as u32, 8);
        // The difference of two samples needs one more bit.
        self.coded(samples, 2, bits + 1, out)
    }

    fn mono(&mut self, samples: &[i32], bits: u32, out: &mut Bits) -> bool {
        self.mixed[0].clear();
        self.mixed[0].extend(samples.iter().map(|x| x >> self.shift));
        out.put(0, 16); // no mixing
        self.coded(samples, 1, bits, out)
    }

    fn coded(&mut self, samples: &[i32], channels: usize, bits: u32, out: &mut Bits) -> bool {
        let width = bits - self.shift;
        for predictor in &mut self.predictors[..channels] {
            predictor.write(out);
        }
        if self.shift > 0 {
            for &x in samples {
                out.put(x as u32, self.shift);
            }
        }
        // Run all channels even if one does not fit, so that every predictor adapts.
        let mut fits = true;
        for (predictor, channel) in self.predictors.iter_mut().zip(&self.mixed).take(channels) {
            fits &= predictor.residuals(channel, width, &mut self.residuals);
            fits &= golomb(&self.residuals, width, out);
        }
        fits
    }
}

/// A linear predictor that adapts by the sign of each error (sign-LMS).
struct Predictor {
    /// Coefficients, oldest sample first.
    coefficients: [i32; ORDER],
}

impl Predictor {
    fn new() -> Self {
        let mut coefficients = BEGIN;
        coefficients.reverse();
        Self { coefficients }
    }

    /// Writes the coefficients at the start of a packet.
    fn write(&mut self, out: &mut Bits) {
        if self.coefficients.iter().any(|x| x.abs() > FARTHEST) {
            *self = Self::new();
        }
        out.put(POINT, 8); // mode 0, and the number of fractional bits
        out.put((4 << 5) | ORDER as u32, 8); // adaptation at four quarters of the normal rate
        for &x in self.coefficients.iter().rev() {
            out.put(x as u32, 16);
        }
    }

    /// Computes the prediction errors of `x`, `width` bits wide. Returns false if a sum exceeds 32
    /// bits, where decoders differ.
    fn residuals(&mut self, x: &[i32], width: u32, out: &mut Vec<i32>) -> bool {
        let wrap = |error: i32| (error << (32 - width)) >> (32 - width);
        out.clear();
        out.extend(x.first());
        out.extend(x.windows(2).take(ORDER).map(|pair| wrap(pair[1] - pair[0])));
        let mut fits = true;
        for &[base, ref past @ .., now] in x.array_windows::<{ ORDER + 2 }>() {
            let past: &[i32; ORDER] = past;
            let terms = self.coefficients.iter().zip(past);
            let sum = terms.map(|(&a, &x)| i64::from(a) * i64::from(x - base)).sum::<i64>()
                + (1 << (POINT - 1));
            fits &= i32::try_from(sum).is_ok();
            let error = wrap(now.wrapping_sub(base).wrapping_sub((sum >> POINT) as i32));
            out.push(error);
            self.learn(base, past, error);
        }
        fits
    }

    /// Moves the coefficients against the error, the oldest first, until the error is used up.
    fn learn(&mut self, base: i32, past: &[i32; ORDER], error: i32) {
        let sign = error.signum();
        let mut left = error;
        for ((a, &x), weight) in self.coefficients.iter_mut().zip(past).zip(1..) {
            if left.signum() != sign || sign == 0 {
                return;
            }
            let difference = base - x;
            *a -= sign * difference.signum();
            // Rounds down like the decoders; the result differs for the two signs.
            left -= weight * ((sign * difference.abs()) >> POINT);
        }
    }
}

/// Writes residuals of `width` bits with adaptive Golomb codes and run lengths of zeros. Returns
/// false for the one number on which decoders differ.
fn golomb(residuals: &[i32], width: u32, out: &mut Bits) -> bool {
    /// Numbers above this limit raise the mean to its maximum.
    const LARGE: u32 = 0xffff;
    /// A mean below a quarter predicts a run of zeros.
    const QUIET: u32 = 1 << (MEAN_POINT - 2);
    const LONGEST_RUN: usize = 0xffff;
    let mut mean = FIRST_MEAN;
    // After a run that ended before its maximum length, the next number is not zero.
    let mut after_run = 0;
    let mut fits = true;
    let mut at = 0;
    while let Some(&residual) = residuals.get(at) {
        at += 1;
        let folded = ((residual << 1) ^ (residual >> 31)) as u32;
        let number = folded - after_run;
        let parameter = ((mean >> MEAN_POINT) + 3).ilog2().min(WIDEST);
        code(number, parameter, width, out);
        mean = mean + FOLLOW * folded - ((FOLLOW * mean) >> MEAN_POINT);
        if number > LARGE {
            mean = LARGE;
        }
        // Some decoders compare `folded`, others `number`.
        fits &= (folded > LARGE) == (number > LARGE);
        after_run = 0;
        if mean < QUIET && at < residuals.len() {
            let run = residuals[at..].iter().take(LONGEST_RUN).take_while(|x| **x == 0).count();
            at += run;
            let parameter = mean.leading_zeros() - 24 + ((mean + 16) >> 6);
            code(run as u32, parameter, 16, out);
            after_run = u32::from(run < LONGEST_RUN);
            mean = 0;
        }
    }
    fits
}

/// Whether all decoders agree on these residuals.
#[cfg(test)]
pub fn fits_golomb(residuals: &[i32], width: u32) -> bool {
    golomb(residuals, width, &mut Bits::default())
}

/// Writes a number as a unary count of its multiples of 2^parameter - 1 and a binary remainder, or
/// verbatim in `width` bits after an escape. Other remainders are stored plus one, so that a
/// remainder of 0 takes one bit less.
fn code(number: u32, parameter: u32, width: u32, out: &mut Bits) {
    let unit = (1 << parameter) - 1;
    let (ones, rest) = (number / unit, number % unit);
    if ones >= ESCAPE {
        out.put((1 << ESCAPE) - 1, ESCAPE);
        out.put(number, width);
        return;
    }
    out.put(((1 << ones) - 1) << 1, ones + 1);
    match rest {
        0 => out.put(0, parameter - 1),
        _ => out.put(rest + 1, parameter),
    }
}

/// Bit buffer, most significant bit first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// The low `count` bits are not yet in `bytes`; always fewer than 8.
    pending: u64,
    count: u32,
}

impl Bits {
    fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// Appends the low `bits` bits of `value`, at most 32.
    fn put(&mut self, value: u32, bits: u32) {
        let value = u64::from(value) & ((1 << bits) - 1);
        self.pending = (self.pending << bits) | value;
        self.count += bits;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.pending >> self.count) as u8);
        }
    }

    /// Ends the packet, padded to a whole byte.
    fn end(&mut self) {
        self.put(END, 3);
        self.put(0, (8 - self.count) % 8);
    }
}
