// The pitch shifter of the mix: Signalsmith Stretch in an audio worklet. A deck that changes neither key
// nor speed does not pass it. What enters it is heard later by its latency.

import { SAMPLE_RATE } from "./plan.js";

const MODULE = "/assets/vendor/signalsmith-stretch/SignalsmithStretch.mjs";
const NAME = "signalsmith-stretch";
const STEREO = { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [2] };
/** Blocks of the default preset, but computed evenly, for slow processors. */
const BLOCKS = { blockMs: 120, intervalMs: 30, splitComputation: true };
const GATE = 0.006;

/**
 * Whether the browser lets this page shift the pitch. Without HTTPS, it does so only on the server's own
 * computer.
 *
 * @returns {boolean}
 */
export function canShift() {
    return isSecureContext && "AudioWorkletNode" in globalThis && "WebAssembly" in globalThis;
}

/** A pitch shifter, made by `openShifter`. */
class Shifter {
    #semitones = null;
    #isOpen = true;

    constructor(context, node, latency) {
        this.context = context;
        this.node = node;
        /** Frames from the input to the output. */
        this.latency = latency;
        this.input = new GainNode(context);
        this.output = new GainNode(context);
        this.input.connect(node).connect(this.output);
        // A worklet handles an input without sources as if none were connected.
        const silence = new ConstantSourceNode(context, { offset: 0 });
        silence.connect(this.input);
        silence.start();
    }

    /**
     * Shifts what is heard from a time on.
     *
     * @param {number} semitones
     * @param {number} time of the context, at the output
     */
    shift(semitones, time) {
        if (this.#semitones === semitones) return undefined;
        this.#semitones = semitones;
        // Without a limit of tonality, overtones stay multiples of their tone, as in an export.
        return this.node.schedule({ output: time, semitones, tonalityHz: 0 });
    }

    /** Silences what is still in the shifter, from a time on. */
    close(time) {
        if (this.#isOpen) this.#ramp(time, 0);
        this.#isOpen = false;
    }

    /** Lets sound pass again from a time on. */
    open(time) {
        if (!this.#isOpen) this.#ramp(Math.max(this.context.currentTime, time - GATE), 1);
        this.#isOpen = true;
    }

    #ramp(time, gain) {
        const param = this.output.gain;
        param.cancelScheduledValues(time);
        param.setValueAtTime(1 - gain, time);
        param.linearRampToValueAtTime(gain, time + GATE);
    }
}

/**
 * Makes a shifter.
 *
 * @param {BaseAudioContext} context
 * @returns {Promise<Shifter>}
 */
export async function openShifter(context) {
    await context.audioWorklet.addModule(MODULE);
    const { default: stretch } = await import(MODULE);
    const node = await stretch(context, STEREO);
    await node.configure(BLOCKS);
    // From the start, since what enters while it is inactive is lost.
    await node.schedule({ active: true });
    return new Shifter(context, node, Math.round((await node.latency()) * SAMPLE_RATE));
}
