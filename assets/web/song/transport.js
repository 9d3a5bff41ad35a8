// The transport at the bottom: position, play and pause, loop, mix or original, volume, export.

import { button, choice, iconButton, slider } from "../base/controls.js";
import { el, eachFrame, fill, setAttribute, setText } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { clock, percent } from "../base/numbers.js";
import { t } from "../base/words.js";
import { SAMPLE_RATE } from "../player/plan.js";
import { keySpeedControl } from "./key_speed.js";
import { Meter } from "./meter.js";

const STEP = 5 * SAMPLE_RATE;

/**
 * Builds the transport.
 *
 * @param {import("../app.js").App} app
 * @param {import("../base/scope.js").Scope} scope
 * @returns {HTMLElement}
 */
export function transport(app, scope) {
    const { player } = app;
    const position = positionSlider(app, scope);
    const play = el("button.play", { type: "button", onclick: () => player.toggle() });
    const loop = iconButton("loop", t("action-toggle-loop"), () => player.toggleLoop(), {
        tooltip: t("action-toggle-loop.tooltip"),
    });
    const title = el("span.now-playing");
    const volume = slider({
        name: t("transport-volume"),
        min: 0,
        max: 1,
        step: 0.05,
        class: ".volume",
        reset: 1,
        describe: percent,
        change: (value) => player.setVolume(value),
    });
    const exporting = button(t("action-export"), () => app.export(), {
        class: ".primary.export",
        tooltip: t("action-export.tooltip"),
    });
    const monitor = el("div.monitor");
    const keySpeed = keySpeedControl(player, scope);
    let shown = "";
    const update = eachFrame(() => {
        const state = `${player.isPlaying} ${player.isBuffering}`;
        if (shown !== state) {
            shown = state;
            const name = player.isPlaying ? t("transport-pause") : t("transport-play");
            setAttribute(play, "aria-label", name);
            play.title = name;
            play.classList.toggle("buffering", player.isBuffering);
            fill(play, icon(player.isPlaying ? "pause" : "play", 22));
        }
        setAttribute(loop, "aria-pressed", String(player.isLooping));
        volume.set(player.volume);
        showMonitor(app, monitor);
        setText(title, app.model?.song?.title ?? "");
        const has = Boolean(app.model?.answer);
        for (const control of [play, loop]) control.disabled = !has;
        exporting.disabled = !app.canExport;
        exporting.title = app.canExport ? t("action-export.tooltip") : exportHint(app);
    });
    scope.add(player.on("state", update));
    scope.add(app.on("model", update));
    scope.add(app.on("song", update));
    update();
    const jump = (shape, name, action, tooltip) =>
        iconButton(shape, name, action, { class: ".jump", tooltip });
    return el(
        "section.transport",
        { "aria-label": t("page-player") },
        position.element,
        el(
            "div.buttons",
            {},
            jump("start", t("action-to-start"), () => player.seek(0), t("action-to-start.tooltip")),
            play,
            jump("end", t("action-to-end"), () => player.seek(Infinity), t("action-to-end.tooltip")),
            jump("stop", t("action-stop"), () => player.stop(), t("action-stop.tooltip")),
            loop,
        ),
        position.time,
        title,
        keySpeed.button,
        keySpeed.panel,
        monitor,
        el("div.volume-box", {}, icon("volume"), volume.element, new Meter(player, scope).element),
        exporting,
    );
}

function exportHint(app) {
    return app.model?.isBusy ? t("transport-export-later") : t("transport-process-first");
}

function showMonitor(app, place) {
    const { player } = app;
    const state = String(player.isOriginal);
    if (place.dataset.state === state) return;
    const hadFocus = place.contains(document.activeElement);
    place.dataset.state = state;
    const choices = [
        { value: "mix", text: t("transport-mix") },
        { value: "original", text: t("transport-original") },
    ];
    fill(
        place,
        choice(t("page-monitor"), choices, player.isOriginal ? "original" : "mix", (value) =>
            player.setOriginal(value === "original"),
        ),
    );
    if (hadFocus) place.querySelector("input:checked").focus();
}

/** The slider of the position, in steps of 5 s for keys, and the time. */
function positionSlider(app, scope) {
    const { player } = app;
    const now = el("strong.time-now");
    const whole = el("span.dim");
    let isHeld = false;
    const track = slider({
        name: t("lane-position"),
        min: 0,
        max: 1,
        step: 1,
        class: ".position",
        describe: (frame) =>
            t("page-position", {
                time: clock(frame / SAMPLE_RATE),
                whole: clock(app.frames / SAMPLE_RATE),
            }),
        change: (frame) => player.seek(frame),
    });
    track.element.addEventListener("keydown", (event) => {
        const steps = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP };
        if (!Object.hasOwn(steps, event.key)) return;
        event.preventDefault();
        player.seek(player.frame + steps[event.key]);
    });
    const hold = (isDown) => () => {
        isHeld = isDown;
    };
    track.element.addEventListener("pointerdown", hold(true));
    scope.listen(window, "pointerup", hold(false));
    const show = () => {
        const frames = app.frames;
        setAttribute(track.element, "max", String(Math.max(1, frames)));
        track.element.disabled = frames === 0;
        if (!isHeld) track.set(Math.round(player.frame));
        setText(now, clock(player.frame / SAMPLE_RATE, true));
        setText(whole, ` / ${clock(frames / SAMPLE_RATE)}`);
    };
    let frame = 0;
    const animate = () => {
        if (player.isPlaying) show();
        frame = requestAnimationFrame(animate);
    };
    animate();
    scope.add(() => cancelAnimationFrame(frame));
    scope.add(player.on("state", show));
    scope.add(app.on("song", show));
    show();
    return { element: track.element, time: el("div.time", {}, now, whole) };
}
