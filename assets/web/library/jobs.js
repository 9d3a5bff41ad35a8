// The jobs of the server, kept up to date by its events. Draws nothing.

import { get, send } from "../base/api.js";
import { settled } from "../base/dom.js";
import { Emitter } from "../base/emitter.js";
import { events } from "../base/events.js";

const LIMIT = 200;
const ACTIVE = ["waiting", "running", "paused"];

/**
 * Whether a job has not ended.
 *
 * @param {object|null} job
 * @returns {boolean}
 */
export function isActive(job) {
    return Boolean(job) && ACTIVE.includes(job.state);
}

/** The jobs. Emits `change`. */
export class Jobs extends Emitter {
    #jobs = new Map();

    constructor() {
        super();
        events.on("job", (job) => this.receive(job));
        events.on("job_removed", ({ id }) => {
            this.#jobs.delete(id);
            this.emit("change");
        });
        events.on(
            "queue",
            settled(150, () => this.#reorder()),
        );
        events.on("resync", () => this.refresh());
    }

    /** Jobs that wait or run in the order of the queue, then the ended ones, newest first. */
    get list() {
        const order = (job) => (job.state === "running" ? -1 : isActive(job) ? (job.place ?? 1e6) : 1e9);
        return [...this.#jobs.values()].sort((a, b) => order(a) - order(b) || b.id - a.id);
    }

    /** Counts of running and waiting jobs. */
    get counts() {
        const all = [...this.#jobs.values()];
        const count = (state) => all.filter((job) => job.state === state).length;
        return { running: count("running"), waiting: count("waiting") };
    }

    async refresh() {
        const { jobs } = await get(`/jobs?limit=${LIMIT}`);
        this.#jobs = new Map(jobs.map((job) => [job.id, job]));
        this.emit("change");
    }

    /** Takes over the places of all jobs, for the views of their songs too. */
    async #reorder() {
        const before = this.#jobs;
        try {
            await this.refresh();
        } catch {
            return;
        }
        for (const job of this.#jobs.values()) {
            if (before.get(job.id)?.place !== job.place) events.emit("job", job);
        }
    }

    receive(job) {
        this.#jobs.set(job.id, job);
        this.emit("change");
    }

    /**
     * Cancels, pauses, continues or retries a job.
     *
     * @param {number} id
     * @param {"cancel"|"pause"|"continue"|"retry"} action
     */
    async act(id, action) {
        const job = await send("POST", `/jobs/${id}/${action}`);
        if (job) this.receive(job);
    }

    /** Removes an ended job from the list. */
    async clear(id) {
        await send("DELETE", `/jobs/${id}`);
        this.#jobs.delete(id);
        this.emit("change");
    }

    async clearAll() {
        for (const job of this.list.filter((one) => !isActive(one))) await this.clear(job.id);
    }
}
