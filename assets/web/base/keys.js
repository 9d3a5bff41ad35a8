// Musical keys. Pure.

const TONICS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const FLATS = { Db: "C#", Eb: "D#", Gb: "F#", Ab: "G#", Bb: "A#" };

/**
 * A key, which the server writes as "F# minor", after a change; `null` if it is in another notation.
 *
 * @param {string} key
 * @param {number} semitones
 * @returns {string|null}
 */
export function transposed(key, semitones) {
    const [, tonic, mode] = /^([A-G][#b]?) (minor|major)$/.exec(key) ?? [];
    const at = TONICS.indexOf(FLATS[tonic] ?? tonic);
    return at < 0 ? null : `${TONICS[(((at + semitones) % 12) + 12) % 12]} ${mode}`;
}
