// Key and speed: a button in the transport that shows the change, and the panel with its sliders.

import { button, slider } from "../base/controls.js";
import { el, setAttribute, setText } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { keySpeed, signed, speed } from "../base/numbers.js";
import { t } from "../base/words.js";
import { MOST_CENTS, MOST_SEMITONES, SPEED_STEP, SPEEDS } from "../player/key_speed.js";
import { canShift } from "../player/shifter.js";

/**
 * Builds the button and its panel, which is hidden.
 *
 * @param {import("../player/player.js").Player} player
 * @param {import("../base/scope.js").Scope} scope
 * @returns {{button: HTMLElement, panel: HTMLElement}}
 */
export function keySpeedControl(player, scope) {
    const text = el("span");
    const opener = el(
        "button.key-speed",
        { type: "button", "aria-expanded": "false", onclick: () => toggle(panel.hidden) },
        icon("sharp"),
        text,
    );
    const rows = sliders(player);
    const undo = () => {
        player.setKeySpeed({ semitones: 0, cents: 0, speed: 1 });
        // The button is disabled now.
        panel.querySelector("input").focus();
    };
    const reset = button(t("page-key-speed-reset"), undo, { class: ".link" });
    const panel = el(
        "div.key-speed-panel",
        { role: "group", "aria-label": t("export-key-speed"), hidden: true },
        rows.map(({ element }) => element),
        canShift() ? null : el("p.dim", {}, t("page-key-speed-insecure")),
        reset,
    );
    const toggle = (isOpen) => {
        panel.hidden = !isOpen;
        setAttribute(opener, "aria-expanded", String(isOpen));
        if (isOpen) panel.querySelector("input:enabled")?.focus();
    };
    panel.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        toggle(false);
        opener.focus();
    });
    scope.listen(document, "pointerdown", ({ target }) => {
        if (!panel.hidden && !panel.contains(target) && !opener.contains(target)) toggle(false);
    });
    const update = () => {
        const { keySpeed: change } = player;
        for (const row of rows) row.show(change);
        reset.disabled = change.isPlain;
        const name = t("export-key-speed");
        setText(text, change.isPlain ? name : keySpeed(change));
        opener.classList.toggle("is-plain", change.isPlain);
        setAttribute(opener, "aria-label", change.isPlain ? name : `${name}: ${keySpeed(change)}`);
    };
    scope.add(player.on("state", update));
    update();
    return { button: opener, panel };
}

function sliders(player) {
    const cents = (value) => t("cents", { number: signed(value) });
    return [
        row(player, "semitones", t("transport-key"), [-MOST_SEMITONES, MOST_SEMITONES, 1], signed),
        row(player, "cents", t("transport-cents"), [-MOST_CENTS, MOST_CENTS, 1], cents),
        row(player, "speed", t("transport-speed"), [...SPEEDS, SPEED_STEP], speed),
    ];
}

function row(player, property, name, [min, max, step], describe) {
    const figure = el("span.figure", { "aria-hidden": "true" });
    const control = slider({
        name,
        min,
        max,
        step,
        class: ".balanced",
        reset: (min + max) / 2,
        describe,
        change: (value) => player.setKeySpeed({ [property]: value }),
    });
    control.element.disabled = !canShift();
    return {
        element: el(
            "div.key-speed-row",
            {},
            el("span.dim", { "aria-hidden": "true" }, name),
            control.element,
            figure,
        ),
        show: (change) => {
            control.set(change[property]);
            setText(figure, describe(change[property]));
        },
    };
}
