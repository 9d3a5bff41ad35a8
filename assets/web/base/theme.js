// Dark or light, by the system or as chosen, and the colours of the instruments, the same as in the
// window. Colours of known instruments are in theme.css; unknown ones get a colour from their name.

import { Emitter } from "./emitter.js";
import { recall, remember } from "./stored.js";

const KNOWN = ["vocals", "drums", "bass", "other", "guitar", "piano", "residual", "original"];
const light = matchMedia("(prefers-color-scheme: light)");
const changes = new Emitter();

/** Applies the stored theme. */
export function startTheme() {
    apply();
    light.addEventListener("change", apply);
}

function apply() {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    changes.emit("change");
}

/** The chosen theme: `system`, `dark` or `light`. */
export function theme() {
    return recall("theme", "system");
}

/** Whether the page is dark now. */
export function isDark() {
    const chosen = theme();
    return chosen === "system" ? !light.matches : chosen === "dark";
}

/**
 * Chooses a theme and stores the choice.
 *
 * @param {"system"|"dark"|"light"} name
 */
export function chooseTheme(name) {
    remember("theme", name === "system" ? null : name);
    apply();
}

/**
 * Adds a listener for a change of the theme.
 *
 * @param {() => void} listener
 * @returns {() => void} removes it
 */
export function onTheme(listener) {
    return changes.on("change", listener);
}

/**
 * The colour of an instrument as CSS; that of a part without its own is a shade of its whole's.
 *
 * @param {string} name
 * @param {{parent: string|null, place: number}} [part]
 * @returns {string}
 */
export function stemColor(name, part = { parent: null, place: 0 }) {
    const lower = name.toLowerCase();
    if (KNOWN.includes(lower)) return `var(--stem-${lower})`;
    if (part.parent) {
        const shade = [0, 30, 15, 45][part.place % 4];
        return `color-mix(in srgb, var(--text) ${shade}%, ${stemColor(part.parent)})`;
    }
    return `oklch(var(--stem-lightness) 0.13 ${hue(lower)})`;
}

function hue(name) {
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return hash % 360;
}
