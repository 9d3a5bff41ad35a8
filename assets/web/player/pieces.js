// The samples of the lanes in pieces that were fetched from the server, as audio buffers, up to a limit
// of memory. A piece is the covered part of a block of 131072 frames, so it changes while its block is
// being computed; its key says of which state it is.

import { request } from "../base/api.js";
import { Emitter } from "../base/emitter.js";
import { SAMPLE_RATE } from "./plan.js";
import { rangeAt, within } from "./ranges.js";

const BLOCK = 131072;
const FRAME_BYTES = 8;
const HEADER_BYTES = 80;
const MOST_BYTES = 200e6;
const MOST_REQUESTS = 4;
const RETRY_DELAY = 1500;

/**
 * A part of a lane's samples.
 *
 * @typedef {{key: string, from: number, to: number, sound: string}} Piece
 */

/**
 * The piece of a lane with a frame, or `null` where the lane is not covered.
 *
 * @param {object} lane as the server lists it
 * @param {number} frame
 * @param {string} version differs for stems of another model or quality
 * @returns {Piece|null}
 */
export function pieceAt(lane, frame, version) {
    const range = rangeAt(lane.covered, frame);
    if (!range) return null;
    const block = Math.floor(frame / BLOCK) * BLOCK;
    const from = Math.max(range[0], block);
    const to = Math.min(range[1], block + BLOCK);
    const state = lane.kind === "original" ? "" : `${version} ${within(lane.refined ?? [], from, to)}`;
    return { key: `${lane.sound} ${from}-${to} ${state}`, from, to, sound: lane.sound };
}

/** Cache of pieces. Emits `loaded`, `stale` when the server no longer has a piece, and `failed`. */
export class Pieces extends Emitter {
    #buffers = new Map();
    #bytes = 0;
    #queue = [];
    #running = new Map();
    #retryAt = new Map();

    /**
     * The samples of a piece, if they are here.
     *
     * @param {Piece} piece
     * @returns {AudioBuffer|undefined}
     */
    find(piece) {
        const buffer = this.#buffers.get(piece.key);
        if (buffer) {
            // The map keeps the order of use, so that the oldest is dropped first.
            this.#buffers.delete(piece.key);
            this.#buffers.set(piece.key, buffer);
        }
        return buffer;
    }

    /**
     * Replaces the list of pieces to fetch, the most urgent first. Fetches of others are cancelled.
     *
     * @param {Piece[]} pieces
     */
    want(pieces) {
        const keys = new Set(pieces.map((piece) => piece.key));
        for (const [key, controller] of this.#running) {
            if (!keys.has(key)) controller.abort();
        }
        this.#queue = pieces.filter((piece) => !this.#buffers.has(piece.key));
        this.#pump();
    }

    #pump() {
        const now = performance.now();
        for (const piece of this.#queue) {
            if (this.#running.size >= MOST_REQUESTS) return;
            const isLater = (this.#retryAt.get(piece.key) ?? 0) > now;
            if (!isLater && !this.#running.has(piece.key) && !this.#buffers.has(piece.key))
                this.#start(piece);
        }
    }

    async #start(piece) {
        const controller = new AbortController();
        this.#running.set(piece.key, controller);
        try {
            this.#keep(piece.key, await fetchPiece(piece, controller.signal));
            this.#retryAt.delete(piece.key);
            this.emit("loaded");
        } catch (problem) {
            if (problem.name !== "AbortError") {
                this.#retryAt.set(piece.key, performance.now() + RETRY_DELAY);
                this.emit(problem.status === 409 ? "stale" : "failed", problem);
            }
        } finally {
            this.#running.delete(piece.key);
        }
        this.#pump();
    }

    #keep(key, buffer) {
        this.#buffers.set(key, buffer);
        this.#bytes += FRAME_BYTES * buffer.length;
        for (const [oldest, { length }] of this.#buffers) {
            if (this.#bytes <= MOST_BYTES) return;
            this.#buffers.delete(oldest);
            this.#bytes -= FRAME_BYTES * length;
        }
    }
}

/**
 * Fetches the samples of a piece.
 *
 * @param {Piece} piece
 * @param {AbortSignal} [signal]
 * @returns {Promise<AudioBuffer>}
 */
export async function fetchPiece(piece, signal) {
    const [first, last] = [piece.from, piece.to].map((frame) => HEADER_BYTES + FRAME_BYTES * frame);
    const response = await request(piece.sound, { headers: { Range: `bytes=${first}-${last - 1}` }, signal });
    const content = await response.arrayBuffer();
    const start = response.status === 206 ? 0 : first;
    const samples = new Float32Array(content, start, (last - first) / 4);
    const frames = piece.to - piece.from;
    const buffer = new AudioBuffer({ length: frames, numberOfChannels: 2, sampleRate: SAMPLE_RATE });
    for (const side of [0, 1]) {
        const channel = buffer.getChannelData(side);
        for (let frame = 0; frame < frames; frame += 1) channel[frame] = samples[2 * frame + side];
    }
    return buffer;
}

/**
 * The samples from one frame of a piece to another, as a buffer that starts with them, so that no
 * source needs an offset, which browsers round differently.
 *
 * @param {AudioBuffer} buffer
 * @param {number} from
 * @param {number} to
 * @returns {AudioBuffer}
 */
export function cut(buffer, from, to) {
    if (from === 0 && to === buffer.length) return buffer;
    const part = new AudioBuffer({ length: to - from, numberOfChannels: 2, sampleRate: SAMPLE_RATE });
    for (const side of [0, 1]) part.copyToChannel(buffer.getChannelData(side).subarray(from, to), side);
    return part;
}

/**
 * The samples of neighbouring pieces from one frame to another; where there is no piece, silence.
 *
 * @param {Array<{from: number, buffer: AudioBuffer}>} pieces
 * @param {number} from
 * @param {number} to
 * @returns {[Float32Array, Float32Array]}
 */
export function joined(pieces, from, to) {
    return [0, 1].map((side) => {
        const samples = new Float32Array(to - from);
        for (const { from: start, buffer } of pieces) {
            const [first, last] = [Math.max(from, start), Math.min(to, start + buffer.length)];
            const channel = buffer.getChannelData(side);
            if (first < last) samples.set(channel.subarray(first - start, last - start), first - from);
        }
        return samples;
    });
}
