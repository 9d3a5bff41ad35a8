// Texts in the language of the page, from the Fluent files of the window. `t` formats a message, and
// falls back to English, then to the id.

import { FluentBundle, FluentResource } from "../vendor/fluent/index.js";
import { Emitter } from "./emitter.js";
import { recall, remember } from "./stored.js";

/** Languages of the page, with their own names. */
export const LANGUAGES = [
    { tag: "en", name: "English" },
    { tag: "pt-BR", name: "Português" },
];

const changes = new Emitter();
const bundles = new Map();
let current = "en";

/**
 * The tag of the page's language.
 *
 * @returns {string}
 */
export function language() {
    return current;
}

/**
 * Adds a listener for a change of the language.
 *
 * @param {() => void} listener
 */
export function onLanguage(listener) {
    changes.on("change", listener);
}

/** Loads the stored language, or the one that the browser prefers. */
export async function startWords() {
    await load("en");
    await speak(recall("language", null) ?? preferred(navigator.languages ?? [navigator.language]));
}

/**
 * Switches to a language and stores the choice.
 *
 * @param {string} tag
 */
export async function chooseLanguage(tag) {
    remember("language", tag);
    await speak(tag);
    changes.emit("change");
}

function preferred(tags) {
    for (const tag of tags) {
        const known = LANGUAGES.find((one) => one.tag.slice(0, 2) === tag.slice(0, 2).toLowerCase());
        if (known) return known.tag;
    }
    return "en";
}

async function speak(tag) {
    const known = LANGUAGES.some((one) => one.tag === tag) ? tag : "en";
    try {
        await load(known);
        current = known;
    } catch {
        current = "en";
    }
    document.documentElement.lang = current;
}

async function load(tag) {
    if (bundles.has(tag)) return;
    const response = await fetch(`/words/${tag}.ftl`);
    if (!response.ok) throw new Error(`could not load the texts in ${tag}: ${response.status}`);
    // Messages are shown beside texts of the same direction, so marks of isolation are not needed.
    const bundle = new FluentBundle(tag, { useIsolating: false, functions: { MEDIUM: () => "window" } });
    bundle.addResource(new FluentResource(await response.text()));
    bundles.set(tag, bundle);
}

/**
 * Formats a message.
 *
 * @param {string} id the message, or one of its attributes: `action-process.tooltip`
 * @param {Object<string, string|number>} [values]
 * @returns {string}
 */
export function t(id, values = {}) {
    const [name, attribute] = id.split(".");
    for (const tag of [current, "en"]) {
        const bundle = bundles.get(tag);
        const message = bundle?.getMessage(name);
        const pattern = attribute ? message?.attributes[attribute] : message?.value;
        if (pattern) return bundle.formatPattern(pattern, values, []);
    }
    return id;
}
