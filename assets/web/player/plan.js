// When the stems play and when the original does. The stems have a weight of 1 where all of them are
// covered and 0 elsewhere, with a ramp of 20 ms inside both ends of each covered range, except at the
// ends of the song and where playback starts. Pure.

import { intersection, rangeAt } from "./ranges.js";

/** Frames a second of every lane. */
export const SAMPLE_RATE = 44100;

/** Length of a ramp between stems and original, in frames. */
export const RAMP = SAMPLE_RATE / 50;

/**
 * A stretch in which the weight of the stems is linear.
 *
 * @typedef {{to: number, first: number, last: number}} Stretch
 */

/** The weight of the stems along a song. */
export class Plan {
    /**
     * @param {number} frames length of the song
     * @param {Array<Array<[number, number]>>} covered ranges of each lane that plays
     * @param {number} start frame at which playback starts
     */
    constructor(frames, covered, start) {
        this.frames = frames;
        this.start = start;
        this.ranges = covered.length === 0 ? [] : intersection(covered);
    }

    /**
     * The stretch from a frame on.
     *
     * @param {number} frame
     * @returns {Stretch}
     */
    stretchAt(frame) {
        const range = rangeAt(this.ranges, frame);
        if (!range) {
            const next = this.ranges.find(([from]) => from > frame);
            return { to: next ? next[0] : this.frames, first: 0, last: 0 };
        }
        const [from, to] = range;
        const hasFadeIn = from > 0 && !(from <= this.start && this.start < to);
        const hasFadeOut = to < this.frames;
        const weight = (at) => {
            const coming = hasFadeIn ? at - from : RAMP;
            const going = hasFadeOut ? to - at : RAMP;
            return Math.min(coming, going, RAMP) / RAMP;
        };
        const middle = Math.floor((from + to) / 2);
        const bends = [
            hasFadeIn ? Math.min(from + RAMP, hasFadeOut ? middle : to) : from,
            hasFadeOut ? Math.max(to - RAMP, hasFadeIn ? middle : from) : to,
            to,
        ];
        const end = bends.find((bend) => bend > frame);
        return { to: end, first: weight(frame), last: weight(end) };
    }
}

/** The path of playback through a song, with an optional loop. Positions count from where it starts. */
export class Path {
    /**
     * @param {number} start
     * @param {number} frames length of the song
     * @param {[number, number]|null} loop
     */
    constructor(start, frames, loop) {
        this.start = start;
        this.frames = frames;
        this.loop = loop && start < loop[1] ? loop : null;
    }

    /** The frame of the song at a position. */
    frameAt(position) {
        const frame = this.start + position;
        if (!this.loop || frame < this.loop[1]) return Math.min(frame, this.frames);
        const [from, to] = this.loop;
        return from + ((frame - to) % (to - from));
    }

    /** Number of frames from a position until the path jumps or ends. */
    straightFrom(position) {
        const end = this.loop ? this.loop[1] : this.frames;
        return end - this.frameAt(position);
    }
}
