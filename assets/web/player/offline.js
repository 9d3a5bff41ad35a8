// Renders the mix of a song through the same graph as playback, faster than real time. Tests compare it
// with an export.

import { get } from "../base/api.js";
import { Deck } from "./deck.js";
import { Instruments } from "./instruments.js";
import { fetchPiece } from "./pieces.js";
import { SAMPLE_RATE } from "./plan.js";
import { contentOf } from "./player.js";

/**
 * Builds the audio of a song from the server's answers.
 *
 * @param {{song: number, frames: number, lanes: object[]}} answer of `lanes`
 * @param {{lanes: Object<string, object>}} mixer
 * @param {string} version
 * @returns {import("./player.js").Sound}
 */
export function soundOf(answer, mixer, version) {
    const stems = answer.lanes.filter((lane) => lane.kind === "stem");
    return {
        id: answer.song,
        frames: answer.frames,
        lanes: answer.lanes,
        original: answer.lanes.find((lane) => lane.kind === "original"),
        version,
        instruments: new Instruments(stems, mixer.lanes),
    };
}

/**
 * Renders a part of a song as it is mixed now.
 *
 * @param {number} song
 * @param {number} from first frame
 * @param {number} frames
 * @param {{isOriginal?: boolean, mixer?: {lanes: Object<string, object>}}} [options] `mixer` replaces the
 *     stored settings
 * @returns {Promise<{left: Float32Array, right: Float32Array}>}
 */
export async function renderOffline(song, from, frames, options = {}) {
    const [lanes, stored] = await Promise.all([get(`/songs/${song}/lanes`), get(`/songs/${song}/mixer`)]);
    const sound = soundOf(lanes, options.mixer ?? stored, "");
    const context = new OfflineAudioContext(2, frames, SAMPLE_RATE);
    const buffers = new Map();
    const content = contentOf(sound, from, null, options.isOriginal ?? false, (piece) =>
        buffers.get(piece.key),
    );
    const deck = new Deck(context, context.destination, content, 0, false);
    for (const piece of deck.piecesAhead(0, frames)) buffers.set(piece.key, await fetchPiece(piece));
    deck.schedule(frames);
    const rendered = await context.startRendering();
    return { left: rendered.getChannelData(0), right: rendered.getChannelData(1) };
}
