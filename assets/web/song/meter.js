// The levels of the whole mix, left and right, and of each lane, in dB. They are for the eye; screen
// readers read the figures of the faders.

import { el } from "../base/dom.js";
import { SAMPLE_RATE } from "../player/plan.js";

const FLOOR_DB = -60;
const FALL = 0.02;
const WINDOW = 1024;
const samples = new Float32Array(WINDOW);

/** A level meter of two bars. */
export class Meter {
    #taps = null;
    #levels = [0, 0];

    /**
     * @param {import("../player/player.js").Player} player
     * @param {import("../base/scope.js").Scope} scope
     */
    constructor(player, scope) {
        this.bars = [el("span"), el("span")];
        this.element = el("div.meter", { "aria-hidden": "true" }, this.bars);
        let frame = 0;
        const step = () => {
            if (player.isPlaying || this.#levels.some((level) => level > 0)) this.#show(player);
            frame = requestAnimationFrame(step);
        };
        step();
        scope.add(() => {
            cancelAnimationFrame(frame);
            this.#taps?.splitter.disconnect();
        });
    }

    #tap({ context, node }) {
        const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
        node.connect(splitter);
        const analysers = [0, 1].map((side) => {
            const analyser = new AnalyserNode(context, { fftSize: WINDOW });
            splitter.connect(analyser, side);
            return analyser;
        });
        return { splitter, analysers };
    }

    #show(player) {
        if (!player.output) return;
        this.#taps ??= this.#tap(player.output);
        this.#taps.analysers.forEach((analyser, side) => {
            this.#levels[side] = nextLevel(analyser, this.#levels[side]);
            this.bars[side].style.setProperty("--level", this.#levels[side].toFixed(3));
        });
    }
}

/** The levels of the lanes that a deck plays. A group's is that of its loudest part. */
export class LaneMeters {
    #deck = null;
    #analysers = new Map();
    #levels = new Map();

    /**
     * Shows the levels now.
     *
     * @param {import("../player/player.js").Player} player
     * @param {import("../player/instruments.js").Instruments} instruments
     * @param {(name: string, level: number) => void} show
     */
    update(player, instruments, show) {
        if (player.deck !== this.#deck) this.#attach(player.deck);
        const levels = new Map();
        for (const name of this.#levels.keys()) levels.set(name, this.#levels.get(name) - FALL);
        for (const [name, analyser] of this.#analysers) {
            const level = nextLevel(analyser, this.#levels.get(name) ?? 0);
            for (const stem of instruments.line(name)) {
                levels.set(stem, Math.max(level, levels.get(stem) ?? 0));
            }
        }
        for (const [name, level] of levels) {
            show(name, Math.max(0, level));
            if (level <= 0) levels.delete(name);
        }
        this.#levels = levels;
    }

    /** Whether no lane has a level to show. */
    get isSilent() {
        return this.#levels.size === 0;
    }

    #attach(deck) {
        this.#deck = deck;
        this.#analysers = new Map();
        for (const { name } of deck?.lanes ?? []) {
            const analyser = new AnalyserNode(deck.context, { fftSize: WINDOW });
            // The levels are of what is heard, not of what enters the shifter.
            const delay = new DelayNode(deck.context, { delayTime: deck.latency / SAMPLE_RATE });
            deck.output(name).connect(deck.latency > 0 ? delay : analyser);
            if (deck.latency > 0) delay.connect(analyser);
            this.#analysers.set(name, analyser);
        }
    }
}

/** The place of a peak on a meter, 0 to 1; a lower one than before falls slowly. */
function nextLevel(analyser, before) {
    analyser.getFloatTimeDomainData(samples);
    let peak = 0;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    const place = 1 - (20 * Math.log10(peak + 1e-9)) / FLOOR_DB;
    return Math.min(1, Math.max(0, place, before - FALL));
}
