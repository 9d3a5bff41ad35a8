// The transport: plays the selected song through decks, and replaces the deck on every seek and change.
// A replacement starts at an exact frame of the old deck's path and is crossfaded with it, so identical
// sound passes unchanged. Decks of another key or speed go through the pitch shifter; a handover happens
// when both decks are heard. Main thread; a timer keeps a few seconds scheduled ahead.

import { Emitter } from "../base/emitter.js";
import { recall, remember } from "../base/stored.js";
import { Deck, playedLanes } from "./deck.js";
import { KeySpeed } from "./key_speed.js";
import { Pieces, pieceAt } from "./pieces.js";
import { Path, Plan, SAMPLE_RATE } from "./plan.js";
import { openShifter } from "./shifter.js";

const TICK = 40;
/** Frames that are scheduled, and that are fetched, ahead of the play head. */
const SCHEDULED_AHEAD = 3 * SAMPLE_RATE;
const FETCHED_AHEAD = 10 * SAMPLE_RATE;
/** Frames that must be here before playback starts or goes on. */
const ENOUGH = SAMPLE_RATE / 4;
const LEAST_LOOP = SAMPLE_RATE / 20;
/** Pause after which the context is suspended, so that it needs no power, in milliseconds. */
const REST = 4000;
/** Seconds between the decision for a deck and its start. */
const LEAD = 0.06;

/**
 * The audio of a song.
 *
 * @typedef {{id: number, frames: number, lanes: object[], original: object, version: string,
 *     instruments: import("./instruments.js").Instruments}} Sound
 */

/**
 * The content of a deck for a sound, from a frame on.
 *
 * @param {Sound} sound
 * @param {number} start first frame
 * @param {[number, number]|null} loop in frames
 * @param {boolean} isOriginalOnly
 * @param {(piece: object) => AudioBuffer|undefined} find samples of a piece
 * @param {number} [percent] speed in percent
 */
export function contentOf(sound, start, loop, isOriginalOnly, find, percent = 100) {
    const lanes = isOriginalOnly ? [] : playedLanes(sound.lanes, sound.instruments);
    // With nothing in the mix, silence plays where the stems are, not the original.
    const silent = sound.lanes.filter((lane) => lane.kind === "stem" && lane.covered.length > 0);
    const covering = isOriginalOnly ? [] : lanes.length > 0 ? lanes : silent;
    return {
        lanes,
        original: sound.original,
        gains: sound.instruments.gains(),
        plan: new Plan(
            sound.frames,
            covering.map((lane) => lane.covered),
            start,
        ),
        path: new Path(start, sound.frames, loop),
        pieceAt: (lane, frame) => pieceAt(lane, frame, sound.version),
        find,
        percent,
    };
}

/**
 * Playback of one song. Emits `state` on changes, `stale` when lanes must be listed again, and `unshifted`
 * when the browser cannot change key and speed.
 */
export class Player extends Emitter {
    #context = null;
    /** The shifter, once it was needed; `null` while the browser makes it. */
    #shifter = undefined;
    #pieces = new Pieces();
    #sound = null;
    #deck = null;
    /** The sound of the next deck, until its samples are here: newer ones wait, or it would never begin. */
    #pending = null;
    #frame = 0;
    #startedAt = 0;
    #isWanted = false;
    #isChanged = false;
    #timer = 0;
    #rest = 0;
    loop = null;
    isLooping = false;
    isOriginal = false;
    isBuffering = false;
    keySpeed = new KeySpeed();
    volume = recall("volume", 1);

    constructor() {
        super();
        this.#pieces.on("loaded", () => this.#tick());
        this.#pieces.on("stale", () => {
            this.#pending = null;
            this.emit("stale");
        });
        this.#pieces.on("failed", (problem) => this.emit("failed", problem));
    }

    get isPlaying() {
        return this.#isWanted;
    }

    get song() {
        return this.#sound?.id ?? null;
    }

    /** The context and the node of the whole mix, for meters; `null` before the first playback. */
    get output() {
        return this.#context && { context: this.#context, node: this.master };
    }

    /** The deck that plays, or `null`. */
    get deck() {
        return this.#deck;
    }

    /** The frame that is heard now. */
    get frame() {
        if (!this.#deck) return this.#frame;
        const delay = this.#context.outputLatency || 0;
        const heard = Math.round((this.#context.currentTime - delay) * SAMPLE_RATE);
        const position = this.#deck.heardAt(heard);
        return this.#deck.path.frameAt(Math.min(position, this.#deck.scheduled));
    }

    /**
     * Selects another song, at its start.
     *
     * @param {Sound|null} sound
     */
    load(sound) {
        this.pause();
        this.#sound = sound;
        this.#frame = 0;
        this.loop = null;
        this.isLooping = false;
        this.isOriginal = false;
        this.emit("state");
    }

    /**
     * Takes over new coverage, lanes or settings of the same song.
     *
     * @param {Sound} sound
     * @param {boolean} onlyGains the lanes that play and their coverage are as before
     */
    update(sound, onlyGains) {
        this.#sound = sound;
        const same = (deck) => {
            const lanes = playedLanes(sound.lanes, sound.instruments).map((lane) => lane.name);
            return this.isOriginal || String(lanes) === String(deck.lanes.map((lane) => lane.name));
        };
        if (onlyGains && this.#deck && same(this.#deck)) this.#deck.setGains(sound.instruments.gains());
        else this.#change();
    }

    /**
     * Changes key and speed, also while the song plays.
     *
     * @param {{semitones?: number, cents?: number, speed?: number}} change
     */
    setKeySpeed(change) {
        this.keySpeed = this.keySpeed.with(change);
        this.#change();
        this.emit("state");
    }

    /** Starts playback. It must be called in a handler of the user's action, which browsers demand. */
    play() {
        if (!this.#sound || this.#isWanted) return;
        this.#open();
        if (this.#frame >= this.#sound.frames) this.#frame = 0;
        this.#startedAt = this.#frame;
        this.#isWanted = true;
        this.#timer = setInterval(() => this.#tick(), TICK);
        this.#tick();
        this.emit("state");
    }

    pause() {
        const frame = this.frame;
        this.#drop();
        this.#frame = frame;
        this.#isWanted = false;
        this.isBuffering = false;
        clearInterval(this.#timer);
        setTimeout(() => this.#isWanted || this.#context?.suspend(), REST);
        this.emit("state");
    }

    toggle() {
        if (this.#isWanted) this.pause();
        else this.play();
    }

    /** Pauses, and returns to where playback began. */
    stop() {
        this.pause();
        this.seek(this.#startedAt);
    }

    /**
     * Moves the play head.
     *
     * @param {number} frame
     */
    seek(frame) {
        if (!this.#sound) return;
        this.#drop();
        this.#frame = Math.min(this.#sound.frames, Math.max(0, Math.round(frame)));
        this.#tick();
        this.emit("seek", this.#frame);
        this.emit("state");
    }

    /**
     * Sets the loop and turns it on. `null`, and a loop too short to be heard as one, removes it.
     *
     * @param {[number, number]|null} loop in frames
     */
    setLoop(loop) {
        const within = loop?.map((frame) =>
            Math.min(this.#sound?.frames ?? 0, Math.max(0, Math.round(frame))),
        );
        this.loop = within && within[1] - within[0] >= LEAST_LOOP ? within : null;
        this.isLooping = this.loop !== null;
        this.#change();
        this.emit("state");
    }

    toggleLoop() {
        if (!this.loop && this.#sound) this.loop = [0, this.#sound.frames];
        this.isLooping = !this.isLooping;
        this.#change();
        this.emit("state");
    }

    setOriginal(isOriginal) {
        if (this.isOriginal === isOriginal) return;
        this.isOriginal = isOriginal;
        this.#change();
        this.emit("state");
    }

    /** Sets the volume of the page, 0 to 1. */
    setVolume(volume) {
        this.volume = Math.min(1, Math.max(0, volume));
        remember("volume", this.volume);
        this.master?.gain.setTargetAtTime(this.volume, this.#context.currentTime, 0.01);
        this.emit("state");
    }

    #open() {
        if (!this.#context) {
            this.#context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
            this.master = new GainNode(this.#context, { gain: this.volume });
            this.master.connect(this.#context.destination);
        }
        this.#context.resume();
    }

    #drop() {
        this.#pending = null;
        if (!this.#deck) return;
        const time = this.#context.currentTime + 0.01;
        this.#deck.end(time);
        if (this.#deck.latency > 0) this.#shifter.close(time);
        this.#deck = null;
    }

    #change() {
        this.#isChanged = this.#deck !== null;
        this.#tick();
    }

    /** Keeps sound scheduled, and replaces the deck when the samples for it are here. */
    #tick() {
        if (!this.#isWanted || !this.#sound) return;
        const deck = this.#deck;
        const now = this.#context.currentTime;
        if (!deck) {
            this.#begin(this.#frame, Math.ceil((now + LEAD) * SAMPLE_RATE), null);
            return;
        }
        deck.schedule(deck.positionAt(now) + SCHEDULED_AHEAD);
        if (this.#isChanged) {
            const latency = this.keySpeed.isPlain ? 0 : (this.#shifter?.latency ?? 0);
            const earliest = Math.ceil((now + LEAD) * SAMPLE_RATE) + Math.max(latency, deck.latency);
            const position = Math.min(deck.heardAt(earliest), deck.scheduled);
            this.#begin(deck.path.frameAt(position), deck.heardFrame(position) - latency, deck);
            if (this.#deck !== deck) return;
        } else {
            this.#pieces.want(deck.piecesAhead(deck.scheduled, FETCHED_AHEAD));
        }
        this.#checkEnd(deck);
    }

    #checkEnd(deck) {
        const position = deck.heardAt(Math.round(this.#context.currentTime * SAMPLE_RATE));
        if (position < deck.scheduled) return;
        if (deck.isComplete) {
            this.pause();
            this.#frame = this.#sound.frames;
            this.emit("state");
            return;
        }
        // The samples did not arrive in time: a new deck goes on from here once they have.
        this.#frame = deck.path.frameAt(deck.scheduled);
        this.#drop();
        this.#tick();
    }

    /** Replaces the old deck by one that plays from a frame of the song at a frame of the clock. */
    #begin(frame, at, old) {
        const shifter = this.keySpeed.isPlain ? null : this.#readyShifter();
        if (shifter === undefined) {
            this.#setBuffering(old === null);
            return;
        }
        const loop = this.isLooping ? this.loop : null;
        const find = (piece) => this.#pieces.find(piece);
        const sound = (this.#pending ??= this.#sound);
        const content = contentOf(sound, frame, loop, this.isOriginal, find, this.keySpeed.percent);
        const [target, latency] = shifter ? [shifter.input, shifter.latency] : [this.master, 0];
        const next = new Deck(this.#context, target, content, at, frame > 0 || old !== null, latency);
        const needed = next.piecesAhead(0, ENOUGH);
        const isReady = needed.every((piece) => this.#pieces.find(piece));
        if (!isReady) {
            next.fader.disconnect();
            this.#pieces.want(next.piecesAhead(0, FETCHED_AHEAD));
            this.#setBuffering(old === null);
            return;
        }
        this.#isChanged = sound !== this.#sound;
        this.#pending = null;
        this.#setBuffering(false);
        const heardFrom = next.heardFrame(0);
        old?.end((heardFrom - old.latency) / SAMPLE_RATE);
        this.#route(shifter, heardFrom / SAMPLE_RATE);
        this.#deck = next;
        next.schedule(SCHEDULED_AHEAD);
        this.#pieces.want(next.piecesAhead(next.scheduled, FETCHED_AHEAD));
    }

    /** The shifter; `undefined` until it is made. */
    #readyShifter() {
        if (this.#shifter) return this.#shifter;
        if (this.#shifter === undefined) {
            this.#shifter = null;
            openShifter(this.#context).then(
                (shifter) => {
                    this.#shifter = shifter;
                    this.#tick();
                },
                (problem) => {
                    this.keySpeed = new KeySpeed();
                    this.#shifter = undefined;
                    this.emit("unshifted", problem);
                    this.#change();
                    this.emit("state");
                },
            );
        }
        return undefined;
    }

    /** Connects the shifter while it is needed, so that it takes no time otherwise. */
    #route(shifter, time) {
        clearTimeout(this.#rest);
        if (shifter) {
            shifter.output.connect(this.master);
            shifter.shift(this.keySpeed.shift, time);
            shifter.open(time);
        } else if (this.#shifter) {
            const delay = 1000 * (time - this.#context.currentTime) + 500;
            this.#rest = setTimeout(() => this.#shifter.output.disconnect(), delay);
        }
    }

    #setBuffering(isBuffering) {
        if (this.isBuffering === isBuffering) return;
        this.isBuffering = isBuffering;
        this.emit("state");
    }
}
