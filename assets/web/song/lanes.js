// The lanes of the song below the ruler, with the play head and the loop across them.

import { el, eachFrame, settled } from "../base/dom.js";
import { onTheme } from "../base/theme.js";
import { t } from "../base/words.js";
import { RESIDUAL } from "../player/instruments.js";
import { SAMPLE_RATE } from "../player/plan.js";
import { LaneRow } from "./lane_row.js";
import { LaneMeters } from "./meter.js";
import { pointable, Ruler } from "./ruler.js";

const LEAST_VIEW = SAMPLE_RATE / 2;

/**
 * Builds the lanes.
 *
 * @param {import("../app.js").App} app
 * @param {import("../base/scope.js").Scope} scope
 * @returns {{element: HTMLElement, toggleLane: (index: number, what: string) => boolean,
 *     zoom: (factor: number) => void}}
 */
export function lanesView(app, scope) {
    const view = new Lanes(app);
    view.start(scope);
    return {
        element: view.element,
        toggleLane: (index, what) => view.toggleLane(index, what),
        zoom: (factor) => view.zoom(factor),
    };
}

class Lanes {
    #rows = new Map();
    #view = { from: 0, to: 1 };
    #names = [];
    #ruler = new Ruler();
    #meters = new LaneMeters();

    constructor(app) {
        this.app = app;
        this.model = app.model;
        this.list = el("div.lane-list");
        this.rulerPlace = el("div.ruler-place", {}, this.#ruler.canvas);
        this.element = el(
            "div.lanes",
            { role: "group", "aria-label": t("page-lanes") },
            this.rulerPlace,
            this.list,
        );
    }

    start(scope) {
        const { model, app } = this;
        const rebuild = settled(0, () => this.#update());
        for (const name of ["lanes", "options"]) scope.add(model.on(name, rebuild));
        scope.add(model.on("mixer", (isTick) => (isTick ? this.#update() : this.#showMixer())));
        scope.add(model.on("progress", () => this.#showDownloads()));
        scope.add(app.player.on("state", () => this.#showPlayer()));
        scope.add(onTheme(() => this.#redraw()));
        scope.listen(this.element, "wheel", (event) => this.#wheel(event), { passive: false });
        pointable(this.rulerPlace, {
            frameAt: (x) => this.#frameAt(x),
            seek: (frame) => app.player.seek(frame),
            loop: (from, to) => app.player.setLoop([Math.round(from), Math.round(Math.max(to, from + 4410))]),
        });
        scope.add(() => {
            this.#ruler.end();
            for (const row of this.#rows.values()) row.end();
        });
        this.#update();
        this.#animate(scope);
    }

    /** Solos or mutes a lane by its place. */
    toggleLane(index, what) {
        const name = this.#names.filter((one) => !this.#rows.get(one).isOriginal)[index];
        if (!name) return false;
        this.model.setLane(name, { [what]: !this.model.instruments.lane(name)[what] });
        return true;
    }

    /** Shows a range that is `factor` times as long, around the play head. */
    zoom(factor, center = this.app.player.frame) {
        const { frames } = this.model.answer;
        const old = this.#view.to - this.#view.from;
        const size = Math.min(frames, Math.max(LEAST_VIEW, old * factor));
        const share = Math.min(1, Math.max(0, (center - this.#view.from) / old));
        this.#setView(center - share * size, size);
    }

    #setView(from, size) {
        const { frames } = this.model.answer;
        const begin = Math.round(Math.min(Math.max(0, from), frames - size));
        this.#view = { from: begin, to: Math.round(begin + size) };
        this.#showWaves();
        this.#showPlayer();
    }

    #wheel(event) {
        if (!this.model.answer || !(event.ctrlKey || event.shiftKey)) return;
        event.preventDefault();
        const x = event.clientX - this.rulerPlace.getBoundingClientRect().left;
        const size = this.#view.to - this.#view.from;
        if (event.ctrlKey) this.zoom(1.002 ** event.deltaY, this.#frameAt(x));
        else this.#setView(this.#view.from + ((event.deltaY || event.deltaX) / 800) * size, size);
    }

    #frameAt(x) {
        const share = x / (this.rulerPlace.clientWidth || 1);
        return Math.round(this.#view.from + share * (this.#view.to - this.#view.from));
    }

    #xOf(frame) {
        return ((frame - this.#view.from) / (this.#view.to - this.#view.from)) * this.rulerPlace.clientWidth;
    }

    #update() {
        const { model } = this;
        if (!model.answer || !model.options) return;
        if (this.#view.to <= 1) this.#view = { from: 0, to: model.answer.frames };
        const { lanes } = model.answer;
        const isKnown = lanes.some((lane) => lane.kind === "stem" && lane.covered.length > 0) || model.isBusy;
        const stems = model.instruments.rows().filter((name) => model.lane(name));
        const residual = isKnown && model.lane(RESIDUAL) ? [RESIDUAL] : [];
        this.#names = ["original", ...stems, ...residual];
        for (const [name, row] of this.#rows) {
            if (this.#names.includes(name)) continue;
            row.end();
            row.element.remove();
            this.#rows.delete(name);
        }
        this.#names.forEach((name, place) => {
            const { element } = this.#rows.get(name) ?? this.#create(name);
            if (this.list.children[place] !== element)
                this.list.insertBefore(element, this.list.children[place]);
        });
        this.#showWaves();
        this.#showMixer();
        this.#showDownloads();
        this.#showPlayer();
    }

    #create(name) {
        const row = new LaneRow(this.model, name);
        this.#rows.set(name, row);
        pointable(row.place, {
            frameAt: (x) => this.#frameAt(x),
            seek: (frame) => this.app.player.seek(frame),
        });
        return row;
    }

    #showWaves() {
        const { version } = this.model.sound;
        for (const [name, row] of this.#rows) {
            const lane = this.model.lane(name);
            if (lane) row.wave.show(lane, this.#view, version);
        }
        this.#ruler.show(this.#view);
    }

    #showMixer() {
        if (!this.model.answer) return;
        const audible = this.model.instruments.audible();
        for (const row of this.#rows.values()) row.showMixer(audible, this.#isOriginalHeard());
    }

    #isOriginalHeard() {
        const { lanes } = this.model.answer;
        return (
            this.app.player.isOriginal ||
            !lanes.some((lane) => lane.kind === "stem" && lane.covered.length > 0)
        );
    }

    #showDownloads() {
        const tracks = this.model.progress?.tracks ?? [];
        for (const [name, row] of this.#rows) {
            row.showDownload(tracks.find((track) => track.name === name)?.href ?? null);
        }
    }

    #redraw() {
        for (const row of this.#rows.values()) row.wave.draw();
        this.#ruler.draw();
    }

    #showPlayer = eachFrame(() => {
        if (!this.model.answer) return;
        this.#showMixer();
        this.#showHead();
        const { loop, isLooping } = this.app.player;
        this.element.classList.toggle("has-loop", loop !== null);
        this.element.classList.toggle("is-looping", isLooping);
        if (!loop) return;
        const [from, to] = loop.map((frame) => this.#clamp(this.#xOf(frame)));
        this.element.style.setProperty("--loop-from", `${from}px`);
        this.element.style.setProperty("--loop-width", `${to - from}px`);
    });

    #clamp(x) {
        return Math.min(this.rulerPlace.clientWidth, Math.max(0, x));
    }

    #showHead() {
        const x = this.#xOf(this.app.player.frame);
        const isVisible = x >= 0 && x <= this.rulerPlace.clientWidth;
        this.element.style.setProperty("--play-head", isVisible ? `${x.toFixed(1)}px` : "-100vw");
    }

    /** Moves the play head while the song plays. */
    #animate(scope) {
        let frame = 0;
        const step = () => {
            if (this.app.player.isPlaying && this.model.answer) {
                this.#showHead();
                this.#follow();
            }
            if (this.model.answer && (this.app.player.isPlaying || !this.#meters.isSilent)) {
                this.#meters.update(this.app.player, this.model.instruments, (name, level) =>
                    this.#rows.get(name)?.showLevel(level),
                );
            }
            frame = requestAnimationFrame(step);
        };
        step();
        scope.add(() => cancelAnimationFrame(frame));
        scope.listen(window, "resize", () => this.#showPlayer());
    }

    /** Turns the page of a zoomed view when the play head leaves it. */
    #follow() {
        const size = this.#view.to - this.#view.from;
        const { frame } = this.app.player;
        const isInside = frame >= this.#view.from && frame < this.#view.to;
        if (size > 1 && size < this.model.answer.frames && !isInside) this.#setView(frame, size);
    }
}
