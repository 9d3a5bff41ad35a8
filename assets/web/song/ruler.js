// The ruler above the lanes: times, and the loop. A click moves the play head, a drag sets the loop.

import { el, eachFrame } from "../base/dom.js";
import { clock } from "../base/numbers.js";

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
const LABEL_WIDTH = 56;
const RATE = 44100;

/** The ruler on a canvas. */
export class Ruler {
    #view = { from: 0, to: 1 };
    #observer;

    constructor() {
        // Its functions are also on the slider of the position and on keys.
        this.canvas = el("canvas.ruler", { "aria-hidden": "true" });
        this.draw = eachFrame(() => this.#draw());
        this.#observer = new ResizeObserver(this.draw);
        this.#observer.observe(this.canvas);
    }

    end() {
        this.#observer.disconnect();
    }

    show(view) {
        this.#view = view;
        this.draw();
    }

    #draw() {
        const { canvas } = this;
        const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio || 1];
        if (width === 0) return;
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
        const pen = canvas.getContext("2d");
        pen.scale(ratio, ratio);
        const style = getComputedStyle(canvas);
        pen.font = `${style.fontSize} ${style.fontFamily}`;
        const [from, to] = [this.#view.from / RATE, this.#view.to / RATE];
        const perPixel = (to - from) / width;
        const step = STEPS.find((one) => one / perPixel >= LABEL_WIDTH) ?? STEPS.at(-1);
        const small = step / 5;
        for (let index = Math.ceil(from / small - 1e-9); index * small <= to; index += 1) {
            const x = Math.round((index * small - from) / perPixel) + 0.5;
            const isLabel = index % 5 === 0;
            pen.fillStyle = style.getPropertyValue("--line");
            pen.fillRect(x, height - (isLabel ? 6 : 3), 1, isLabel ? 6 : 3);
            if (!isLabel || x > width - 20) continue;
            pen.fillStyle = style.color;
            pen.textAlign = index === 0 ? "left" : "center";
            pen.fillText(clock(index * small, step < 1), index === 0 ? 0 : x, height - 12);
        }
    }
}

/**
 * Lets an element move the play head: by a click or a drag, or with `setsLoop`, a drag sets the loop.
 *
 * @param {HTMLElement} element
 * @param {{frameAt: (x: number) => number, seek: (frame: number) => void,
 *     loop?: (from: number, to: number) => void}} actions
 */
export function pointable(element, { frameAt, seek, loop }) {
    const frameOf = (event) => frameAt(event.clientX - element.getBoundingClientRect().left);
    let start = null;
    element.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        start = { x: event.clientX, y: event.clientY, frame: frameOf(event), isDrag: false };
        if (loop) element.setPointerCapture(event.pointerId);
    });
    element.addEventListener("pointermove", (event) => {
        if (!start || !loop) return;
        start.isDrag ||= Math.abs(event.clientX - start.x) > 6;
        if (start.isDrag) loop(...[start.frame, frameOf(event)].sort((a, b) => a - b));
    });
    element.addEventListener("pointerup", (event) => {
        // A touch that scrolled the page does not seek.
        const hasMoved = start && Math.hypot(event.clientX - start.x, event.clientY - start.y) > 10;
        if (start && !start.isDrag && !hasMoved) seek(frameOf(event));
        start = null;
    });
    element.addEventListener("pointercancel", () => {
        start = null;
    });
}
