// The songs of the library as far as they are loaded, in the order and with the search of the user, kept
// up to date by the server's events. Draws nothing.

import { get, send } from "../base/api.js";
import { Emitter } from "../base/emitter.js";
import { events } from "../base/events.js";
import { settled } from "../base/dom.js";
import { recall, remember } from "../base/stored.js";

const PAGE = 60;
const MOST_AT_ONCE = 200;

/** The library. Emits `list` when the list changed and `song` with a song that changed. */
export class Library extends Emitter {
    #songs = new Map();
    #ids = [];
    #query = 0;
    #isLoading = false;
    #reload = settled(150, () => this.refresh());
    total = 0;
    search = "";
    sort = recall("sort", "newest");
    /** Whether the list arrived at least once. */
    isLoaded = false;

    constructor() {
        super();
        events.on("song", (song) => this.#receive(song));
        events.on("job", (job) => this.#receiveJob(job));
        events.on("song_removed", ({ id }) => this.#forget(id));
        events.on("resync", () => this.refresh());
    }

    /** The listed songs, in order. */
    get songs() {
        return this.#ids.map((id) => this.#songs.get(id));
    }

    get hasMore() {
        return this.#ids.length < this.total;
    }

    /** A song, if it was ever loaded. */
    find(id) {
        return this.#songs.get(id);
    }

    /** A song; it is fetched if needed. */
    async song(id) {
        return this.#songs.get(id) ?? this.#keep(await get(`/songs/${id}`));
    }

    /** Loads again as many songs as are listed now. */
    async refresh() {
        const query = (this.#query += 1);
        const wanted = Math.max(PAGE, this.#ids.length);
        const ids = [];
        let total = 0;
        do {
            const answer = await this.#fetch(ids.length, Math.min(MOST_AT_ONCE, wanted - ids.length));
            if (query !== this.#query) return;
            total = answer.total;
            if (answer.songs.length === 0) break;
            ids.push(...answer.songs.map((song) => this.#keep(song).id));
        } while (ids.length < Math.min(wanted, total));
        this.#ids = [...new Set(ids)];
        this.total = total;
        this.isLoaded = true;
        this.emit("list");
    }

    /** Loads all songs that the search finds. */
    async all() {
        for (let before = -1; this.hasMore && this.#ids.length > before;) {
            before = this.#ids.length;
            await this.more(MOST_AT_ONCE);
        }
    }

    /** Loads the songs after the listed ones. */
    async more(count = PAGE) {
        if (this.#isLoading || !this.hasMore) return;
        this.#isLoading = true;
        const query = this.#query;
        try {
            const answer = await this.#fetch(this.#ids.length, count);
            if (query !== this.#query) return;
            this.#ids = [...new Set([...this.#ids, ...answer.songs.map((song) => this.#keep(song).id)])];
            this.total = answer.songs.length === 0 ? this.#ids.length : answer.total;
            this.emit("list");
        } finally {
            this.#isLoading = false;
        }
    }

    /** Searches the library; an empty text lists all songs. */
    setSearch(text) {
        this.search = text;
        this.#ids = [];
        this.#reload();
    }

    setSort(sort) {
        this.sort = sort;
        remember("sort", sort);
        this.#ids = [];
        this.#reload();
    }

    async rename(id, title) {
        this.#receive(await send("PATCH", `/songs/${id}`, { title }));
    }

    async remove(id) {
        await send("DELETE", `/songs/${id}`);
        this.#forget(id);
    }

    /** Removes all songs, jobs and stems. */
    async reset() {
        await send("POST", "/reset", { confirm: "reset" });
        await this.refresh();
    }

    /** Takes over a song that the server sent. */
    #receive(song) {
        const isListed = this.#ids.includes(song.id);
        this.#keep(song);
        this.emit("song", song);
        if (!isListed) this.#reload();
    }

    #receiveJob(job) {
        const song = this.#songs.get(job.song);
        if (!song || (song.job && song.job.id > job.id)) return;
        song.job = job;
        if (job.state === "done") song.state = "separated";
        this.emit("song", song);
    }

    #forget(id) {
        if (!this.#songs.delete(id)) return;
        if (this.#ids.includes(id)) this.total -= 1;
        this.#ids = this.#ids.filter((one) => one !== id);
        this.emit("removed", id);
        this.emit("list");
    }

    #keep(song) {
        // The object stays the same, so that views that hold it see its changes.
        const kept = Object.assign(this.#songs.get(song.id) ?? {}, song);
        this.#songs.set(song.id, kept);
        return kept;
    }

    #fetch(offset, limit) {
        const query = new URLSearchParams({ search: this.search, sort: this.sort, offset, limit });
        return get(`/songs?${query}`);
    }
}
