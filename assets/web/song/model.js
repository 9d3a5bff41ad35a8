// The selected song: its options, lanes, mixer and progress, loaded from the server and kept up to date
// by its events. Draws nothing.

import { address, get, Problem, send } from "../base/api.js";
import { settled } from "../base/dom.js";
import { Emitter } from "../base/emitter.js";
import { events } from "../base/events.js";
import { language, t } from "../base/words.js";
import { isActive } from "../library/jobs.js";
import { soundOf } from "../player/offline.js";
import { length } from "../player/ranges.js";

/** Settings of a lane. */
const FIELDS = ["ticked", "gain_db", "pan", "muted", "soloed"];

/** A song. Emits `song`, `options`, `lanes`, `mixer` and `progress` on changes, `gone` if it was removed. */
export class SongModel extends Emitter {
    #removers = [];
    #isEnded = false;
    #version = 0;
    /** Names of lanes whose settings are not sent yet. */
    #unsaved = new Set();
    #save = settled(400, () => this.flush());
    #reloadLanes = settled(120, () => this.#loadLanes());
    song = null;
    options = null;
    answer = null;
    mixer = { lanes: {} };
    progress = null;

    /** @param {number} id */
    constructor(id) {
        super();
        this.id = id;
        const listen = (name, of, action) => {
            this.#removers.push(events.on(name, (data) => data[of] === id && action(data)));
        };
        listen("song", "id", (song) => this.#setSong(song));
        listen("job", "song", (job) => this.#receiveJob(job));
        listen("mixer", "song", ({ lanes }) => this.#receiveMixer(lanes));
        listen("segments", "song", () => this.#reloadLanes());
        listen("options", "song", () => this.#loadOptions());
        listen("song_removed", "id", () => this.emit("gone"));
        this.#removers.push(events.on("resync", () => this.load().catch(() => {})));
        const leave = () => this.flush();
        addEventListener("pagehide", leave);
        this.#removers.push(() => removeEventListener("pagehide", leave));
    }

    /** Loads everything. */
    async load() {
        const path = `/songs/${this.id}`;
        const parts = [get(path), this.#readOptions(), get(`${path}/lanes`), get(`${path}/mixer`)];
        const [song, options, answer, mixer] = await Promise.all(parts);
        if (this.#isEnded) return;
        Object.assign(this, { options, answer });
        this.#takeMixer(mixer.lanes);
        this.#setSong(song);
        for (const name of ["options", "lanes", "mixer"]) this.emit(name);
        this.#loadProgress();
    }

    /** Stops listening, and saves what is unsaved. */
    end() {
        this.#isEnded = true;
        for (const remove of this.#removers) remove();
        this.flush();
    }

    /** The audio as the player takes it; `null` until it is loaded. */
    get sound() {
        if (!this.answer || !this.options) return null;
        const version = `${this.options.model}/${this.options.quality}/${this.#version}`;
        return soundOf(this.answer, this.mixer, version);
    }

    get instruments() {
        return this.sound.instruments;
    }

    lane(name) {
        return this.answer.lanes.find((lane) => lane.name === name);
    }

    /** Part of a stem that can be heard, 0 to 1. */
    covered(name) {
        const lane = this.lane(name);
        return lane ? length(lane.covered) / this.answer.frames : 0;
    }

    /** Whether a job of this song is active. */
    get isBusy() {
        return isActive(this.song?.job);
    }

    /**
     * Changes settings of a lane, and saves them after a moment.
     *
     * @param {string} name
     * @param {object} change
     */
    setLane(name, change) {
        this.mixer.lanes[name] = { ...this.instruments.lane(name), ...change };
        this.#unsaved.add(name);
        this.emit("mixer", "ticked" in change);
        this.#save();
    }

    /** Ticks some stems and no others. */
    tickOnly(names) {
        for (const name of this.instruments.order()) {
            const ticked = names.includes(name);
            this.mixer.lanes[name] = { ...this.instruments.lane(name), ticked };
            this.#unsaved.add(name);
        }
        this.emit("mixer", true);
        this.#save();
    }

    /** Saves the mixer now if it changed. */
    flush() {
        // The settings of another model's stems stay as they are on the server.
        const changed = [...this.#unsaved].filter((name) => this.lane(name));
        this.#unsaved.clear();
        if (changed.length === 0) return;
        const headers = { "Content-Type": "application/json", "Accept-Language": language() };
        // Others may have changed other lanes.
        const lanes = Object.fromEntries(changed.map((name) => [name, this.mixer.lanes[name]]));
        const body = JSON.stringify({ lanes });
        // The request outlives the page.
        fetch(address(`/songs/${this.id}/mixer`), { method: "PUT", headers, body, keepalive: true }).then(
            (response) => response.ok || this.emit("unsaved"),
            () => this.emit("unsaved"),
        );
    }

    /** Chooses a model or a quality. */
    async choose(change) {
        this.options = await send("PUT", `/songs/${this.id}/options`, change);
        this.#version += 1;
        this.emit("options");
        await this.#loadLanes();
        await this.#loadProgress();
    }

    /**
     * Starts the separation of the ticked stems.
     *
     * @param {number} fromSeconds
     */
    process(fromSeconds) {
        return this.#order(this.instruments.ticked(), fromSeconds);
    }

    /**
     * Moves the running separation to another place of the song.
     *
     * @param {number} fromSeconds
     */
    follow(fromSeconds) {
        return this.#order(this.song.job.stems, fromSeconds);
    }

    async #order(stems, fromSeconds) {
        const body = { stems, from_seconds: Math.max(0, fromSeconds) };
        this.#receiveJob(await send("POST", `/songs/${this.id}/jobs`, body));
    }

    /** Lists the lanes again. */
    reload() {
        this.#reloadLanes();
    }

    #setSong(song) {
        this.song = { ...this.song, ...song };
        this.emit("song");
        this.emit("progress");
    }

    #receiveJob(job) {
        if (!this.song || (this.song.job && this.song.job.id > job.id)) return;
        const before = this.song.job?.state;
        this.song.job = job;
        this.emit("progress");
        if (before !== job.state) {
            this.#reloadLanes();
            this.#loadProgress();
        }
    }

    /** Takes over what others have set, except for lanes that are being changed here. */
    #receiveMixer(lanes) {
        const before = this.mixer.lanes;
        this.#takeMixer(lanes);
        const changed = (field) =>
            Object.entries(this.mixer.lanes).some(([name, lane]) => before[name]?.[field] !== lane[field]);
        if (this.answer && FIELDS.some(changed)) this.emit("mixer", changed("ticked"));
    }

    #takeMixer(lanes) {
        const own = [...this.#unsaved].map((name) => [name, this.mixer.lanes[name]]);
        this.mixer.lanes = { ...lanes, ...Object.fromEntries(own) };
    }

    async #loadLanes() {
        try {
            const answer = await get(`/songs/${this.id}/lanes`);
            if (this.#isEnded) return;
            this.answer = answer;
            this.emit("lanes");
        } catch {
            // The next event, or the next connection, loads them.
        }
    }

    /** The options; without a model, none, and the reason. */
    async #readOptions() {
        try {
            return await get(`/songs/${this.id}/options`);
        } catch (problem) {
            if (problem.status === 0 || problem.status === 404) throw problem;
            return { model: "", quality: "", stems: [], choices: [], problem: textOf(problem) };
        }
    }

    async #loadOptions() {
        try {
            this.options = await this.#readOptions();
            this.#version += 1;
            this.emit("options");
            await this.#loadLanes();
        } catch {
            // As above.
        }
    }

    async #loadProgress() {
        if (!this.song?.job) {
            this.progress = null;
            return;
        }
        try {
            this.progress = await get(`/songs/${this.id}/progress`);
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            this.progress = null;
        }
        if (!this.#isEnded) this.emit("progress");
    }
}

/** Why a song has no options. */
function textOf(problem) {
    return problem.code === "no_model" ? t("page-no-model") : problem.message;
}
