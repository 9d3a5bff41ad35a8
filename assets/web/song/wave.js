// The waveform of a lane on a canvas: bars of peaks, dots where the lane is unknown, and drafts paler.
// Peaks are fetched for the visible range whenever it, the size or the lane's coverage changes.

import { get } from "../base/api.js";
import { el, eachFrame } from "../base/dom.js";
import { rangeAt } from "../player/ranges.js";

const PITCH = 3;
const BAR = 2;
const PEAK_ALPHA = 0.4;
const DRAFT_ALPHA = 0.55;
const MOST_BINS = 4000;

/** A canvas with the waveform of one lane. */
export class Wave {
    #lane = null;
    #view = null;
    #peaks = null;
    #wanted = "";
    #request = null;
    #observer;

    /** @param {string} name accessible name of the picture */
    constructor(name) {
        this.canvas = el("canvas.wave-canvas", { role: "img", "aria-label": name });
        this.draw = eachFrame(() => this.#draw());
        this.#observer = new ResizeObserver(() => this.#refresh());
        this.#observer.observe(this.canvas);
    }

    end() {
        this.#observer.disconnect();
        this.#request?.abort();
    }

    /**
     * Shows a lane in a range of frames.
     *
     * @param {object} lane as the server lists it
     * @param {{from: number, to: number}} view
     * @param {string} version differs for stems of another model or quality
     */
    show(lane, view, version) {
        this.#lane = lane;
        this.#view = { ...view, version };
        this.#refresh();
    }

    get #bars() {
        return Math.min(MOST_BINS, Math.floor(this.canvas.clientWidth / PITCH));
    }

    async #refresh() {
        if (!this.#lane) return;
        this.draw();
        const { from, to, version } = this.#view;
        const bins = Math.min(this.#bars, to - from);
        const { covered, refined, peaks } = this.#lane;
        const wanted = JSON.stringify([peaks, from, to, bins, version, covered, refined]);
        if (bins < 1 || wanted === this.#wanted) return;
        this.#wanted = wanted;
        this.#request?.abort();
        this.#request = new AbortController();
        try {
            const query = new URLSearchParams({ from, to, bins });
            this.#peaks = await get(`${peaks}?${query}`, this.#request.signal);
        } catch (problem) {
            // The next change of the lane asks again.
            if (problem.name !== "AbortError") this.#wanted = "";
            return;
        }
        this.draw();
    }

    #draw() {
        const { canvas } = this;
        const ratio = devicePixelRatio || 1;
        const [width, height] = [canvas.clientWidth, canvas.clientHeight];
        if (width === 0 || !this.#lane) return;
        const size = [Math.round(width * ratio), Math.round(height * ratio)];
        if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
        const pen = canvas.getContext("2d");
        pen.setTransform(ratio, 0, 0, ratio, 0, 0);
        pen.clearRect(0, 0, width, height);
        const style = getComputedStyle(canvas);
        this.#drawBars(pen, height, style.color, style.getPropertyValue("--unknown"));
    }

    #drawBars(pen, height, color, unknown) {
        const { from, to } = this.#view;
        const { covered, refined = covered } = this.#lane;
        const perBar = (to - from) / this.#bars;
        const middle = Math.round(height / 2);
        const reach = (sample) => Math.max(0.5, Math.min(1, Math.abs(sample)) * (height / 2));
        for (let bar = 0; bar < this.#bars; bar += 1) {
            const frame = from + (bar + 0.5) * perBar;
            const peak = rangeAt(covered, frame) ? this.#peakAt(frame) : null;
            const x = bar * PITCH;
            if (!peak) {
                pen.globalAlpha = 1;
                pen.fillStyle = unknown;
                pen.fillRect(x, middle - 0.5, 1, 1);
                continue;
            }
            const alpha = rangeAt(refined, frame) ? 1 : DRAFT_ALPHA;
            const [up, down] = [reach(peak[1]), reach(peak[0])];
            pen.fillStyle = color;
            if (peak.length > 2) {
                const [top, bottom] = [Math.min(up, reach(peak[2])), Math.min(down, reach(peak[2]))];
                pen.globalAlpha = alpha * PEAK_ALPHA;
                pen.fillRect(x, middle - up, BAR, up - top);
                pen.fillRect(x, middle + bottom, BAR, down - bottom);
                pen.globalAlpha = alpha;
                pen.fillRect(x, middle - top, BAR, top + bottom);
            } else {
                pen.globalAlpha = alpha;
                pen.fillRect(x, middle - up, BAR, up + down);
            }
        }
    }

    /** The peak of the last answer at a frame, which may be of another range or width. */
    #peakAt(frame) {
        if (!this.#peaks) return null;
        const { from, to, bins } = this.#peaks;
        return bins[Math.floor(((frame - from) / (to - from)) * bins.length)] ?? null;
    }
}
