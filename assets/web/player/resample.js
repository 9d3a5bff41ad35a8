// Samples of a song at another speed, on the grid of the context's frames: frame n of a deck sounds like
// frame n × percent / 100 of its path. Browsers change the rate of a source in different ways, and begin
// every source anew, which is heard where pieces join. Pure.

const SIDE = 16;
const BETA = 8;
/** Part of the band below the lower Nyquist frequency that passes. */
const PASS = 0.95;

/** Frames of the song that a resampled frame depends on, before and after it. */
export const MARGIN = 2 * SIDE;

/** Kernels of a windowed sinc for the phases that a speed has. */
export class Resampler {
    /** @param {number} percent speed in percent */
    constructor(percent) {
        this.percent = percent;
        const faster = Math.max(1, percent / 100);
        const cutoff = PASS / faster;
        this.side = Math.ceil(SIDE * faster);
        this.kernels = Array.from({ length: 100 }, (_, phase) => kernel(phase / 100, this.side, cutoff));
    }

    /** The first frame at or after a position of the path. */
    frameOf(position) {
        return Math.ceil((100 * position) / this.percent);
    }

    /**
     * Frames `first` to `last` of a channel.
     *
     * @param {Float32Array} samples of the path, from `start` on
     * @param {number} start
     * @param {number} first
     * @param {number} last exclusive
     * @returns {Float32Array}
     */
    channel(samples, start, first, last) {
        const out = new Float32Array(last - first);
        const taps = 2 * this.side;
        for (let frame = first; frame < last; frame += 1) {
            const at = frame * this.percent;
            const taken = Math.floor(at / 100) - this.side + 1 - start;
            const weights = this.kernels[at % 100];
            let sum = 0;
            for (let tap = 0; tap < taps; tap += 1) sum += weights[tap] * samples[taken + tap];
            out[frame - first] = sum;
        }
        return out;
    }
}

function kernel(phase, side, cutoff) {
    const weights = Float32Array.from({ length: 2 * side }, (_, tap) => {
        const at = tap - side + 1 - phase;
        const sinc = at === 0 ? 1 : Math.sin(Math.PI * cutoff * at) / (Math.PI * cutoff * at);
        return sinc * bessel(BETA * Math.sqrt(Math.max(0, 1 - (at / side) ** 2)));
    });
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
}

/** The modified Bessel function of order 0, of Kaiser's window. */
function bessel(x) {
    let [term, sum] = [1, 1];
    for (let n = 1; term > 1e-9 * sum; n += 1) {
        term *= (x / (2 * n)) ** 2;
        sum += term;
    }
    return sum;
}
