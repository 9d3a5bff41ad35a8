// Numbers, times, sizes, lists and stem names in the language of the page, written as in the window.

import { transposed } from "./keys.js";
import { language, t } from "./words.js";

/**
 * A number with a fixed count of decimals.
 *
 * @param {number} number
 * @param {number} places
 * @returns {string}
 */
export function decimal(number, places) {
    const digits = { minimumFractionDigits: places, maximumFractionDigits: places };
    return new Intl.NumberFormat(language(), digits).format(number);
}

/**
 * Seconds as m:ss or h:mm:ss, with tenths if asked for.
 *
 * @param {number} seconds
 * @param {boolean} [withTenths]
 * @returns {string}
 */
export function clock(seconds, withTenths = false) {
    const tenths = Math.floor(Math.max(0, seconds) * 10 + 1e-6);
    const whole = Math.floor(tenths / 10);
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    const text = hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
    return withTenths ? `${text}${t("number-decimal-mark")}${tenths % 10}` : text;
}

/**
 * A fraction as a percentage; 100 % only for a complete one.
 *
 * @param {number} fraction
 * @returns {string}
 */
export function percent(fraction) {
    return t("percent", { percent: Math.min(100, Math.max(0, Math.floor(fraction * 100 + 1e-3))) });
}

/**
 * The time left of a job, such as "1 min 05 left".
 *
 * @param {number} seconds
 * @returns {string}
 */
export function timeLeft(seconds) {
    const whole = Math.max(1, Math.ceil(seconds));
    if (whole < 60) return t("left-seconds", { seconds: whole });
    if (whole < 3600) return t("left-minutes", { minutes: Math.floor(whole / 60), seconds: whole % 60 });
    return t("left-hours", { hours: Math.floor(whole / 3600), minutes: Math.floor(whole / 60) % 60 });
}

/**
 * An elapsed time, such as "in 1 min 05 s".
 *
 * @param {number} seconds
 * @returns {string}
 */
export function took(seconds) {
    const whole = Math.max(1, Math.round(seconds));
    if (whole < 60) return t("took-seconds", { seconds: whole });
    if (whole < 3600) return t("took-minutes", { minutes: Math.floor(whole / 60), seconds: whole % 60 });
    return t("took-hours", { hours: Math.floor(whole / 3600), minutes: Math.floor(whole / 60) % 60 });
}

/**
 * A rounded duration, such as "40 s", "5 min" or "1 h 20 min".
 *
 * @param {number} seconds
 * @returns {string}
 */
export function duration(seconds) {
    const whole = Math.max(1, Math.ceil(seconds));
    if (whole < 10) return t("duration-seconds", { seconds: whole });
    if (whole < 100) return t("duration-seconds", { seconds: 5 * Math.ceil(whole / 5) });
    if (whole < 3600) return t("duration-minutes", { minutes: Math.ceil(whole / 60) });
    return t("duration-hours", { hours: Math.floor(whole / 3600), minutes: Math.floor(whole / 60) % 60 });
}

/**
 * A size, such as "3.2 GB", in powers of 1000.
 *
 * @param {number} count
 * @returns {string}
 */
export function bytes(count) {
    if (count < 1000) return t("size-bytes", { count });
    let [size, unit] = [count / 1000, 1];
    while (size >= 999.5 && unit < 4) [size, unit] = [size / 1000, unit + 1];
    const number = decimal(size, size < 9.95 ? 1 : 0);
    if (unit === 1) return t("size-kilobytes", { number });
    if (unit === 2) return t("size-megabytes", { number });
    return unit === 3 ? t("size-gigabytes", { number }) : t("size-terabytes", { number });
}

/**
 * Decibels with a sign, such as "+1.5 dB" or "−∞ dB"; `null` is silence.
 *
 * @param {number|null} gain
 * @returns {string}
 */
export function decibels(gain) {
    if (gain === null || gain === -Infinity) return t("decibels", { number: "−∞" });
    const tenths = Math.round(gain * 10) / 10;
    const sign = tenths === 0 ? "" : tenths > 0 ? "+" : "−";
    return t("decibels", { number: sign + decimal(Math.abs(tenths), 1) });
}

/**
 * A whole number with a sign, such as "+2".
 *
 * @param {number} value
 * @returns {string}
 */
export function signed(value) {
    return (value > 0 ? "+" : value < 0 ? "−" : "") + decimal(Math.abs(value), 0);
}

/**
 * A speed, such as "0.90 ×".
 *
 * @param {number} value
 * @returns {string}
 */
export function speed(value) {
    return t("speed", { number: decimal(value, 2) });
}

/**
 * A change of key and speed, such as "+2.15, 0.90 ×".
 *
 * @param {import("../player/key_speed.js").KeySpeed} change
 * @returns {string}
 */
export function keySpeed(change) {
    const [cents, places] = [change.allCents, change.cents === 0 ? 0 : 2];
    const key = (cents < 0 ? "−" : "+") + decimal(Math.abs(cents) / 100, places);
    if (cents === 0) return speed(change.speed);
    return change.speed === 1 ? key : `${key}, ${speed(change.speed)}`;
}

/**
 * A balance, such as "30 % left".
 *
 * @param {number} pan -1 to 1
 * @returns {string}
 */
export function balance(pan) {
    const side = percent(Math.abs(Math.round(pan * 100)) / 100);
    if (Math.round(pan * 100) === 0) return t("lane-pan-center");
    return pan < 0 ? t("lane-pan-left", { percent: side }) : t("lane-pan-right", { percent: side });
}

/**
 * A list, such as "a, b and c".
 *
 * @param {string[]} names
 * @returns {string}
 */
export function list(names) {
    if (names.length < 2) return names.join("");
    return t("list-and", { most: names.slice(0, -1).join(", "), last: names.at(-1) });
}

const STEMS = {
    vocals: () => t("stem-vocals"),
    instrumental: () => t("stem-instrumental"),
    drums: () => t("stem-drums"),
    bass: () => t("stem-bass"),
    other: () => t("stem-other"),
    guitar: () => t("stem-guitar"),
    piano: () => t("stem-piano"),
    kick: () => t("stem-kick"),
    snare: () => t("stem-snare"),
    toms: () => t("stem-toms"),
    hihat: () => t("stem-hihat"),
    ride: () => t("stem-ride"),
    crash: () => t("stem-crash"),
    cymbals: () => t("stem-cymbals"),
    lead: () => t("stem-lead"),
    backing: () => t("stem-backing"),
    original: () => t("lane-original").toLocaleLowerCase(language()),
    residual: () => t("lane-residual").toLocaleLowerCase(language()),
};

/**
 * An instrument within a sentence; an unknown one keeps its name.
 *
 * @param {string} name
 * @returns {string}
 */
export function stem(name) {
    const lower = name.toLowerCase();
    const known = lower === "hh" || lower === "hi-hat" ? "hihat" : lower;
    return Object.hasOwn(STEMS, known) ? STEMS[known]() : name;
}

/**
 * An instrument as a heading.
 *
 * @param {string} name
 * @returns {string}
 */
export function stemTitle(name) {
    const [first = "", ...rest] = stem(name);
    return first.toLocaleUpperCase(language()) + rest.join("");
}

/**
 * Instruments within a sentence, such as "vocals, drums and bass".
 *
 * @param {string[]} names
 * @returns {string}
 */
export function stems(names) {
    return list(names.map(stem));
}

/**
 * Counts of songs and jobs, such as "3 songs and 2 jobs".
 *
 * @param {number} songs
 * @param {number} jobs
 * @returns {string}
 */
export function songsAndJobs(songs, jobs) {
    return list([t("songs", { count: songs }), t("jobs", { count: jobs })]);
}

/**
 * A musical key, which the server writes as "F# minor"; tags may use another notation.
 *
 * @param {string} key
 * @returns {string}
 */
export function musicalKey(key) {
    const [, tonic, mode] = /^(.*) (minor|major)$/.exec(key) ?? [];
    if (mode === "minor") return t("key-minor", { tonic });
    return mode === "major" ? t("key-major", { tonic }) : key;
}

/**
 * The line about a song's sound, such as "44.1 kHz FLAC · 3:21 · 120 BPM". The key is also shown as
 * changed.
 *
 * @param {object} song of the server
 * @param {number} semitones of the change
 * @returns {string}
 */
export function soundLine(song, semitones) {
    const rate = song.sample_rate / 1000;
    const format = [t("kilohertz", { number: decimal(rate, Number.isInteger(rate) ? 0 : 1) }), song.format];
    if (song.channels === 1) format.push(t("mono"));
    else if (song.channels > 2) format.push(t("channels", { count: song.channels }));
    const parts = [format.join(" "), clock(song.seconds)];
    if (song.bpm) parts.push(t("bpm", { number: decimal(song.bpm, 0) }));
    if (song.key) {
        const other = semitones === 0 ? null : transposed(song.key, semitones);
        parts.push([song.key, other].filter(Boolean).map(musicalKey).join(" → "));
    }
    if (song.loudness_lufs) {
        const sign = song.loudness_lufs < 0 ? "−" : "";
        parts.push(t("lufs", { number: sign + decimal(Math.abs(song.loudness_lufs), 1) }));
    }
    return parts.join(" · ");
}
