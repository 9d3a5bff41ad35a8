// Renders the mix of a song through the same graph as playback, faster than real time. Tests compare it
// with an export.

import { get } from "../base/api.js";
import { Deck } from "./deck.js";
import { Instruments } from "./instruments.js";
import { KeySpeed } from "./key_speed.js";
import { fetchPiece } from "./pieces.js";
import { SAMPLE_RATE } from "./plan.js";
import { contentOf } from "./player.js";
import { openShifter } from "./shifter.js";

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
 * @param {number} frames of the song
 * @param {{isOriginal?: boolean, mixer?: {lanes: Object<string, object>},
 *     keySpeed?: {semitones?: number, cents?: number, speed?: number}}} [options] `mixer` replaces the
 *     stored settings
 * @returns {Promise<{left: Float32Array, right: Float32Array}>}
 */
export async function renderOffline(song, from, frames, options = {}) {
    const [lanes, stored] = await Promise.all([get(`/songs/${song}/lanes`), get(`/songs/${song}/mixer`)]);
    const sound = soundOf(lanes, options.mixer ?? stored, "");
    const keySpeed = new KeySpeed(options.keySpeed);
    const length = Math.round((100 * frames) / keySpeed.percent);
    // The context's length is fixed before the shifter's latency is known.
    const context = new OfflineAudioContext(2, length + (keySpeed.isPlain ? 0 : SAMPLE_RATE), SAMPLE_RATE);
    const shifter = keySpeed.isPlain ? null : await openShifter(context);
    shifter?.output.connect(context.destination);
    await shifter?.shift(keySpeed.shift, 0);
    const buffers = new Map();
    const find = (piece) => buffers.get(piece.key);
    const content = contentOf(sound, from, null, options.isOriginal ?? false, find, keySpeed.percent);
    const deck = new Deck(context, shifter?.input ?? context.destination, content, 0, false);
    for (const piece of deck.piecesAhead(0, frames)) buffers.set(piece.key, await fetchPiece(piece));
    for (let before = -1; before < deck.scheduled && deck.scheduled < frames;) {
        before = deck.scheduled;
        deck.schedule(frames);
    }
    const rendered = await context.startRendering();
    const [left, right] = [0, 1].map((side) =>
        rendered.getChannelData(side).subarray(shifter?.latency ?? 0).subarray(0, length),
    );
    return { left, right };
}
