// The mixing graph of one run of playback: from one frame of a song on, along a path, at one start time
// of the context. All lanes share its clock, so they stay together to the sample, and pieces join
// without a gap. A seek, another loop, other lanes or new coverage make a new deck. The same graph runs
// in an offline context.
//
//     sources of a stem -> its strip (gains of left and right) -> stems    \
//     sources of the original --------------------------------> original   -> fader -> destination
//
// Positions count frames of the song along the path. At another speed, sources are resampled here, and
// the destination is a pitch shifter, whose latency a deck knows.

import { cut, joined } from "./pieces.js";
import { RESIDUAL } from "./instruments.js";
import { SAMPLE_RATE } from "./plan.js";
import { MARGIN, Resampler } from "./resample.js";

/** Length of a fade at a start, a stop and between two decks, in seconds. */
export const FADE = 0.006;
/** Length of a change of gain, in seconds. */
const GAIN_CHANGE = 0.012;
/** Frames of a song that are resampled for one source, and at once. */
const RESAMPLED = 16384;
const RESAMPLED_AT_ONCE = 1.5 * SAMPLE_RATE;

/** One run of playback. */
export class Deck {
    #strips = new Map();
    #sources = new Set();

    /**
     * @param {BaseAudioContext} context
     * @param {AudioNode} destination
     * @param {{lanes: object[], original: object, gains: Map<string, [number, number]>,
     *     plan: import("./plan.js").Plan, path: import("./plan.js").Path,
     *     pieceAt: (lane: object, frame: number) => object|null,
     *     find: (piece: object) => AudioBuffer|undefined, percent: number}} content `lanes` play as
     *     themselves; `percent` is the speed
     * @param {number} startFrame of the context's clock, at which the path begins
     * @param {boolean} fadesIn
     * @param {number} [latency] frames from the destination to what is heard
     */
    constructor(context, destination, content, startFrame, fadesIn, latency = 0) {
        Object.assign(this, content);
        this.context = context;
        this.startFrame = startFrame;
        this.latency = latency;
        this.resampler = this.percent === 100 ? null : new Resampler(this.percent);
        /** Position on the path up to which sources are scheduled. */
        this.scheduled = 0;
        this.fader = new GainNode(context, { gain: fadesIn ? 0 : 1 });
        this.fader.connect(destination);
        this.stemsBus = new GainNode(context, { gain: 0 });
        this.originalBus = new GainNode(context, { gain: 0 });
        this.stemsBus.connect(this.fader);
        this.originalBus.connect(this.fader);
        if (fadesIn) {
            this.fader.gain.setValueAtTime(0, this.timeAt(0));
            this.fader.gain.linearRampToValueAtTime(1, this.timeAt(0) + FADE);
        }
        for (const lane of this.lanes) this.#addStrip(lane.name);
    }

    #addStrip(name) {
        const [left, right] = this.gains.get(name) ?? [0, 0];
        const input = new ChannelSplitterNode(this.context, { numberOfOutputs: 2 });
        const output = new ChannelMergerNode(this.context, { numberOfInputs: 2 });
        const sides = [left, right].map((gain) => new GainNode(this.context, { gain }));
        sides.forEach((side, channel) => {
            input.connect(side, channel);
            side.connect(output, 0, channel);
        });
        output.connect(this.stemsBus);
        this.#strips.set(name, { input, sides, output });
    }

    /** Time of the context at a position of the path, exact to the sample. */
    timeAt(position) {
        return (this.startFrame + (100 * position) / this.percent) / SAMPLE_RATE;
    }

    /** Position of the path that the sources play at a time of the context. */
    positionAt(time) {
        return this.#positionOf(Math.round(time * SAMPLE_RATE));
    }

    /** Position of the path that is heard at a frame of the context. */
    heardAt(frame) {
        return this.#positionOf(frame - this.latency);
    }

    /** Frame of the context at which a position of the path is heard. */
    heardFrame(position) {
        return this.startFrame + Math.round((100 * position) / this.percent) + this.latency;
    }

    #positionOf(frame) {
        return Math.round((Math.max(0, frame - this.startFrame) * this.percent) / 100);
    }

    /** Whether everything up to the song's end is scheduled. */
    get isComplete() {
        return !this.path.loop && this.path.frameAt(this.scheduled) >= this.path.frames;
    }

    /** Output of a lane's strip, for a meter. */
    output(name) {
        return this.#strips.get(name)?.output;
    }

    /**
     * The next step: a part of the path within one piece of each lane and one stretch of the plan.
     *
     * @param {number} position
     * @returns {{frame: number, count: number, stretch: object, parts: object[], pieces: object[]}|null}
     *     `pieces` are all that the step needs; a resampled one also needs the neighbours of its parts
     */
    step(position) {
        const frame = this.path.frameAt(position);
        const straight = this.path.straightFrom(position);
        if (straight <= 0) return null;
        const stretch = this.plan.stretchAt(frame);
        const isStems = stretch.first > 0 || stretch.last > 0;
        const isOriginal = stretch.first < 1 || stretch.last < 1;
        const lanes = [...(isStems ? this.lanes : []), ...(isOriginal ? [this.original] : [])];
        const parts = lanes
            .map((lane) => ({ lane, piece: this.pieceAt(lane, frame) }))
            .filter(({ piece }) => piece);
        const most = this.resampler ? RESAMPLED : straight;
        const ends = parts.map(({ piece }) => piece.to);
        const end = Math.min(frame + Math.min(straight, most), stretch.to, ...ends);
        for (const part of parts) part.pieces = this.#around(part, frame, end);
        return { frame, count: end - frame, stretch, parts, pieces: parts.flatMap(({ pieces }) => pieces) };
    }

    /** The piece of a part, and the neighbours with frames that its resampled end and start depend on. */
    #around({ lane, piece }, from, to) {
        if (!this.resampler) return [piece];
        const before = from - MARGIN < piece.from && this.pieceAt(lane, piece.from - 1);
        const after = to + MARGIN > piece.to && this.pieceAt(lane, piece.to);
        return [before, piece, after].filter(Boolean);
    }

    /**
     * The pieces from a position on, in the order in which they are played.
     *
     * @param {number} position
     * @param {number} frames
     * @returns {object[]}
     */
    piecesAhead(position, frames) {
        const pieces = new Map();
        for (let at = position; at < position + frames;) {
            const step = this.step(at);
            if (!step) break;
            for (const piece of step.pieces) pieces.set(piece.key, piece);
            at += step.count;
        }
        return [...pieces.values()];
    }

    /**
     * Schedules sources up to a position, as far as their samples are here.
     *
     * @param {number} until
     */
    schedule(until) {
        const most = this.resampler ? this.scheduled + RESAMPLED_AT_ONCE : until;
        while (this.scheduled < Math.min(until, most)) {
            const step = this.step(this.scheduled);
            if (!step || step.pieces.some((piece) => !this.find(piece))) return;
            this.#start(step);
            this.scheduled += step.count;
        }
    }

    #start({ frame, count, stretch, parts }) {
        const [begin, end] = [this.timeAt(this.scheduled), this.timeAt(this.scheduled + count)];
        const share = (at) =>
            stretch.first + ((stretch.last - stretch.first) * (at - frame)) / (stretch.to - frame);
        for (const [bus, weight] of [
            [this.stemsBus, (at) => share(at)],
            [this.originalBus, (at) => 1 - share(at)],
        ]) {
            bus.gain.setValueAtTime(weight(frame), begin);
            if (stretch.first !== stretch.last) bus.gain.linearRampToValueAtTime(weight(frame + count), end);
        }
        for (const part of parts) {
            const target =
                part.lane === this.original ? this.originalBus : this.#strips.get(part.lane.name).input;
            if (this.resampler) this.#resample(part.pieces, frame, count, target);
            else this.#play(cut(this.find(part.piece), ...within(part.piece, frame, count)), target, begin);
        }
    }

    #resample(pieces, frame, count, target) {
        const [from, to] = [this.scheduled, this.scheduled + count];
        const [first, last] = [from, to].map((position) => this.resampler.frameOf(position));
        if (first === last) return;
        const sources = pieces.map((piece) => ({ from: piece.from, buffer: this.find(piece) }));
        const length = last - first;
        const buffer = new AudioBuffer({ length, numberOfChannels: 2, sampleRate: SAMPLE_RATE });
        joined(sources, frame - MARGIN, frame + count + MARGIN).forEach((samples, side) => {
            const channel = this.resampler.channel(samples, from - MARGIN, first, last);
            buffer.copyToChannel(channel, side);
        });
        this.#play(buffer, target, (this.startFrame + first) / SAMPLE_RATE);
    }

    #play(buffer, target, time) {
        const source = new AudioBufferSourceNode(this.context, { buffer });
        source.connect(target);
        source.start(time);
        this.#sources.add(source);
        source.onended = () => {
            source.disconnect();
            this.#sources.delete(source);
        };
    }

    /**
     * Moves the strips to other gains without a step.
     *
     * @param {Map<string, [number, number]>} gains
     */
    setGains(gains) {
        this.gains = gains;
        const now = this.context.currentTime;
        for (const [name, { sides }] of this.#strips) {
            const wanted = gains.get(name) ?? [0, 0];
            sides.forEach(({ gain }, side) => {
                gain.cancelScheduledValues(now);
                gain.setValueAtTime(gain.value, now);
                gain.linearRampToValueAtTime(wanted[side], now + GAIN_CHANGE);
            });
        }
    }

    /**
     * Fades out and ends.
     *
     * @param {number} time of the context
     */
    end(time) {
        const { gain } = this.fader;
        gain.cancelScheduledValues(time);
        gain.setValueAtTime(1, time);
        gain.linearRampToValueAtTime(0, time + FADE);
        for (const source of this.#sources) source.stop(time + FADE + 0.01);
        const delay = 1000 * (time - this.context.currentTime + FADE) + 200;
        setTimeout(() => this.fader.disconnect(), delay);
    }
}

/** The first and the last frame of a step within a piece. */
function within(piece, frame, count) {
    return [frame - piece.from, frame - piece.from + count];
}

/**
 * The lanes that play as themselves: stems in the mix, and the residual if it is audible.
 *
 * @param {object[]} lanes of the server
 * @param {import("./instruments.js").Instruments} instruments
 * @returns {object[]}
 */
export function playedLanes(lanes, instruments) {
    const audible = instruments.audible();
    return lanes.filter((lane) =>
        lane.kind === "stem"
            ? instruments.isInMix(lane.name)
            : lane.name === RESIDUAL && audible.has(RESIDUAL),
    );
}
