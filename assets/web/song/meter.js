// The level of what plays, left and right, in dB. It is decoration for the eye; the figures of the
// faders are what screen readers read.

import { el } from "../base/dom.js";

const FLOOR_DB = -60;
const FALL = 0.02;

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
            const analyser = new AnalyserNode(context, { fftSize: 1024 });
            splitter.connect(analyser, side);
            return analyser;
        });
        return { splitter, analysers, samples: new Float32Array(1024) };
    }

    #show(player) {
        if (!player.output) return;
        this.#taps ??= this.#tap(player.output);
        this.#taps.analysers.forEach((analyser, side) => {
            analyser.getFloatTimeDomainData(this.#taps.samples);
            const peak = this.#taps.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
            const place = Math.max(0, 1 - (20 * Math.log10(peak + 1e-9)) / FLOOR_DB);
            this.#levels[side] = Math.min(1, Math.max(place, this.#levels[side] - FALL));
            this.bars[side].style.setProperty("--level", this.#levels[side].toFixed(3));
        });
    }
}
