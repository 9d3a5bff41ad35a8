// A lane: its name and mixer at the left, its waveform at the right.

import { slider, toggle } from "../base/controls.js";
import { el, setAttribute, setText } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { balance, decibels, stem } from "../base/numbers.js";
import { t } from "../base/words.js";
import { colorOf, titleOf } from "./ticks.js";
import { Wave } from "./wave.js";

const canHoldKeys = matchMedia("(hover: hover)");
const UNITY = 700;
const MOST = 1000;
const FLOOR_DB = -60;
const MOST_DB = 6;

/**
 * The gain in dB at a place of the fader; `null` is silence. The scale is that of the window.
 *
 * @param {number} place
 * @returns {number|null}
 */
export function gainAt(place) {
    if (place <= 0) return null;
    if (place < UNITY) return FLOOR_DB * (1 - place / UNITY) ** 2;
    return ((place - UNITY) / (MOST - UNITY)) * MOST_DB;
}

/**
 * The place of a gain on the fader.
 *
 * @param {number|null} gain
 * @returns {number}
 */
export function placeOf(gain) {
    if (gain === null || gain <= FLOOR_DB) return 0;
    if (gain < 0) return Math.round(UNITY * (1 - Math.sqrt(gain / FLOOR_DB)));
    return Math.min(MOST, Math.round(UNITY + (gain / MOST_DB) * (MOST - UNITY)));
}

/** The row of one lane. */
export class LaneRow {
    /**
     * @param {import("./model.js").SongModel} model
     * @param {string} name
     */
    constructor(model, name) {
        this.model = model;
        this.name = name;
        const { instruments } = model;
        const lane = model.lane(name);
        this.isOriginal = lane.kind === "original";
        const title =
            lane.kind === "stem"
                ? titleOf(instruments, name)
                : this.isOriginal
                  ? t("lane-original")
                  : t("lane-residual");
        this.wave = new Wave(
            this.isOriginal ? t("lane-original-wave") : t("lane-wave", { stem: stem(name) }),
        );
        this.state = el("span.lane-state");
        this.place = el("div.wave", {}, this.wave.canvas, this.state);
        const depth = lane.kind === "stem" ? instruments.depth(name) : 0;
        const color = lane.kind === "stem" ? colorOf(instruments, name) : `var(--stem-${name})`;
        this.element = el(
            "section.lane",
            {
                "aria-label": title,
                style: { "--color": color, "--depth": String(depth) },
            },
            el("div.lane-head", {}, this.#head(title)),
            this.place,
        );
        if (this.isOriginal) this.element.classList.add("original");
    }

    #head(title) {
        const heading = el("h2.lane-name", {}, title);
        this.note = el("p.lane-note.dim");
        if (this.isOriginal) return [heading, this.note];
        this.#addControls(title);
        return [
            el("div.lane-line", {}, heading, this.pan.element, this.mute.element, this.solo.element),
            el("div.lane-line", {}, this.gain.element, this.figure, this.download),
            this.meter,
        ];
    }

    #addControls(title) {
        // The faders have the figures; the level is for the eye.
        this.meter = el("div.lane-meter", { "aria-hidden": "true" });
        const [model, name] = [this.model, this.name];
        const label = { stem: title };
        this.pan = slider({
            name: t("lane-pan", label),
            min: -1,
            max: 1,
            step: 0.05,
            class: ".pan",
            reset: 0,
            describe: balance,
            change: (pan) => model.setLane(name, { pan }),
        });
        this.mute = toggle(
            "M",
            t("lane-mute", label),
            (muted) => model.setLane(name, { muted }),
            ".lane-button.mute",
        );
        this.solo = toggle(
            "S",
            t("lane-solo", label),
            (soloed) => model.setLane(name, { soloed }),
            ".lane-button.solo",
        );
        this.gain = slider({
            name: t("lane-gain", label),
            min: 0,
            max: MOST,
            step: 5,
            class: ".gain",
            reset: UNITY,
            describe: (place) => decibels(gainAt(place)),
            change: (place) => model.setLane(name, { gain_db: gainAt(place) }),
        });
        this.figure = el("span.gain-figure", { "aria-hidden": "true" });
        this.download = el(
            "a.icon-button.small.download",
            { download: "", hidden: true },
            icon("download", 14),
        );
        const spoken = t("page-download", label);
        this.download.setAttribute("aria-label", spoken);
        this.download.title = spoken;
    }

    /** Shows the settings of the mixer. */
    showMixer(audible, isOriginalHeard) {
        const isHeard = this.isOriginal ? isOriginalHeard : !isOriginalHeard && audible.has(this.name);
        this.element.classList.toggle("faint", !this.isOriginal && !isHeard);
        this.wave.draw();
        if (this.isOriginal) {
            const hint = canHoldKeys.matches ? t("lane-original-compare") : "";
            setText(this.note, isOriginalHeard ? t("lane-original-heard") : hint);
            return;
        }
        const { pan, muted, soloed, gain_db: gain } = this.model.instruments.lane(this.name);
        this.pan.set(pan);
        this.mute.set(muted);
        this.solo.set(soloed);
        if (gainAt(Number(this.gain.element.value)) !== gain) this.gain.set(placeOf(gain));
        setText(this.figure, decibels(gain));
        const notes = [];
        if (this.name === "residual") notes.push(t("lane-residual-note"));
        if (muted) notes.push(t("lane-muted"));
        setText(this.state, notes.join(" · "));
    }

    /** Shows the link to the stem's file, or none. */
    showDownload(href) {
        if (!this.download) return;
        this.download.hidden = !href;
        setAttribute(this.download, "href", href ?? null);
    }

    showLevel(level) {
        this.meter?.style.setProperty("--level", level.toFixed(3));
    }

    end() {
        this.wave.end();
    }
}
