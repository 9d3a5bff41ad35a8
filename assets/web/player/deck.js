// The mixing graph of one run of playback: from one frame of a song on, along a path, at one start time
// of the context. All lanes share its clock, so they stay together to the sample, and pieces join
// without a gap. A seek, another loop, other lanes or new coverage make a new deck. The same graph runs
// in an offline context.
//
//     sources of a stem -> its strip (gains of left and right) -> stems    \
//     sources of the original --------------------------------> original   -> fader -> destination

import { cut } from "./pieces.js";
import { RESIDUAL } from "./instruments.js";
import { SAMPLE_RATE } from "./plan.js";

/** Length of a fade at a start, a stop and between two decks, in seconds. */
export const FADE = 0.006;
/** Length of a change of gain, in seconds. */
const GAIN_CHANGE = 0.012;

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
     *     find: (piece: object) => AudioBuffer|undefined}} content `lanes` play as themselves
     * @param {number} startFrame of the context's clock, at which the path begins
     * @param {boolean} fadesIn
     */
    constructor(context, destination, content, startFrame, fadesIn) {
        Object.assign(this, content);
        this.context = context;
        this.startFrame = startFrame;
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
        return (this.startFrame + position) / SAMPLE_RATE;
    }

    /** Position of the path at a time of the context. */
    positionAt(time) {
        return Math.max(0, Math.round(time * SAMPLE_RATE) - this.startFrame);
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
     * @returns {{frame: number, count: number, stretch: object, lanes: object[], pieces: object[]}|null}
     */
    step(position) {
        const frame = this.path.frameAt(position);
        const straight = this.path.straightFrom(position);
        if (straight <= 0) return null;
        const stretch = this.plan.stretchAt(frame);
        const isStems = stretch.first > 0 || stretch.last > 0;
        const isOriginal = stretch.first < 1 || stretch.last < 1;
        const lanes = [...(isStems ? this.lanes : []), ...(isOriginal ? [this.original] : [])];
        const pieces = lanes.map((lane) => this.pieceAt(lane, frame)).filter(Boolean);
        const end = Math.min(frame + straight, stretch.to, ...pieces.map((piece) => piece.to));
        return { frame, count: end - frame, stretch, lanes, pieces };
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
        while (this.scheduled < until) {
            const step = this.step(this.scheduled);
            if (!step) return;
            const buffers = step.pieces.map((piece) => this.find(piece));
            if (buffers.includes(undefined)) return;
            this.#start(step, buffers);
            this.scheduled += step.count;
        }
    }

    #start({ frame, count, stretch, lanes, pieces }, buffers) {
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
        pieces.forEach((piece, index) => {
            const lane = lanes.find((one) => one.sound === piece.sound);
            const target = lane === this.original ? this.originalBus : this.#strips.get(lane.name).input;
            const buffer = cut(buffers[index], frame - piece.from, frame - piece.from + count);
            this.#play(buffer, target, begin);
        });
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
