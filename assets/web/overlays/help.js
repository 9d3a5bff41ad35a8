// The sheet of shortcuts, and the keys of the page. Keys with Ctrl belong to the browser, so the page
// uses only plain ones, the same as in the window, and none while the user types.

import { el } from "../base/dom.js";
import { t } from "../base/words.js";
import { SPEED_STEP } from "../player/key_speed.js";
import { canShift } from "../player/shifter.js";
import { cancelButton, openDialog } from "./dialog.js";

/** Keys that the page uses with Alt. Those to the sides go through the browser's history. */
const ALT_KEYS = ["ArrowUp", "ArrowDown"];

/** Opens the sheet of shortcuts. */
export function openHelp() {
    if (document.querySelector("dialog.help")) return;
    const groups = [
        [
            t("help-playback"),
            [
                [[t("help-space")], t("action-play-pause")],
                [["."], t("action-stop")],
                [["←"], t("action-back.tooltip")],
                [["→"], t("action-forward.tooltip")],
                [["Home"], t("action-to-start")],
                [["End"], t("action-to-end")],
                [["↑"], t("action-louder")],
                [["↓"], t("action-quieter")],
                [["Shift", "↑"], t("action-faster")],
                [["Shift", "↓"], t("action-slower")],
                [["Alt", "↑"], t("action-key-up")],
                [["Alt", "↓"], t("action-key-down")],
                [["L"], t("action-toggle-loop.tooltip")],
                [["["], t("action-loop-from")],
                [["]"], t("action-loop-to")],
                [["Esc"], t("action-clear-loop")],
            ],
        ],
        [
            t("help-lanes"),
            [
                [["1 … 9"], t("action-solo.tooltip")],
                [["Shift", "1 … 9"], t("action-mute.tooltip")],
                [["O"], t("action-compare.tooltip")],
            ],
        ],
        [
            t("help-view"),
            [
                [["+"], t("action-zoom-in")],
                [["-"], t("action-zoom-out")],
                [["0"], t("action-whole-song")],
            ],
        ],
        [
            t("help-songs"),
            [
                [["/"], t("action-search.tooltip")],
                [["P"], t("action-process")],
                [["E"], t("action-export")],
                [["J"], t("action-open-jobs")],
                [["F2"], t("action-rename")],
                [["?"], t("action-help")],
            ],
        ],
        [
            t("page-in-list"),
            [
                [["↑"], t("action-previous-song")],
                [["↓"], t("action-next-song")],
                [["A … Z"], t("page-find-title")],
                [["Shift", "F10"], t("page-song-menu")],
                [["Delete"], t("library-remove")],
            ],
        ],
    ];
    openDialog({
        title: t("help-title"),
        class: ".help.wide",
        scrolls: true,
        body: groups.map(([name, keys]) =>
            el(
                "section",
                {},
                el("h3", {}, name),
                el(
                    "dl.keys",
                    {},
                    keys.map(([names, text]) => [
                        el(
                            "dt",
                            {},
                            names.map((key) => el("kbd", {}, key)),
                        ),
                        el("dd", {}, text),
                    ]),
                ),
            ),
        ),
        actions: [cancelButton(t("close"))],
    });
}

/**
 * Listens to the keys of the page.
 *
 * @param {import("../app.js").App} app
 */
export function listenToKeys(app) {
    let heldAt = 0;
    document.addEventListener("keydown", (event) => {
        const isForeign = event.altKey && !ALT_KEYS.includes(event.key);
        if (event.ctrlKey || event.metaKey || isForeign || event.defaultPrevented) return;
        if (document.querySelector("dialog[open], .menu") || ownsKey(event)) return;
        if (event.key.toLowerCase() === "o") {
            if (event.repeat) return event.preventDefault();
            heldAt = performance.now();
        }
        if (act(app, event)) event.preventDefault();
        return undefined;
    });
    document.addEventListener("keyup", (event) => {
        // A held key compares, a short press switches.
        const isHeld = event.key.toLowerCase() === "o" && heldAt > 0 && performance.now() - heldAt > 400;
        if (isHeld) app.player.setOriginal(!app.player.isOriginal);
        heldAt = 0;
    });
}

/** Whether the focused control has a use of its own for a key. */
function ownsKey(event) {
    const { target, key } = event;
    if (!(target instanceof Element)) return false;
    if (target.matches("input[type=text], input[type=search], input[type=password], textarea")) return true;
    const isWithModifier = nameOf(event) !== key && key.length > 1;
    if (isWithModifier) return target.matches("select");
    const isArrow = key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(key);
    if (target.matches("input[type=range], input[type=radio], select") && isArrow) return true;
    return (
        key === " " && target.matches("button, a, summary, select, input[type=checkbox], input[type=radio]")
    );
}

function act(app, event) {
    const { player, view } = app;
    const digit = /^Digit([1-9])$/.exec(event.code);
    if (digit) return view?.toggleLane(Number(digit[1]) - 1, event.shiftKey ? "muted" : "soloed") ?? false;
    const seconds = (count) => player.seek(player.frame + count * 44100);
    const key = nameOf(event);
    const keys = {
        " ": () => player.toggle(),
        ".": () => player.stop(),
        ArrowLeft: () => seconds(-5),
        ArrowRight: () => seconds(5),
        "Shift+ArrowUp": () => changeSpeed(player, SPEED_STEP),
        "Shift+ArrowDown": () => changeSpeed(player, -SPEED_STEP),
        "Alt+ArrowUp": () => changeKey(player, 1),
        "Alt+ArrowDown": () => changeKey(player, -1),
        ArrowUp: () => player.setVolume(player.volume + 0.05),
        ArrowDown: () => player.setVolume(player.volume - 0.05),
        Home: () => player.seek(0),
        End: () => player.seek(Infinity),
        l: () => player.toggleLoop(),
        "[": () =>
            player.setLoop([player.frame, player.loop?.[1] > player.frame ? player.loop[1] : app.frames]),
        "]": () => player.setLoop([player.loop?.[0] < player.frame ? player.loop[0] : 0, player.frame]),
        Escape: () => player.setLoop(null),
        o: () => player.setOriginal(!player.isOriginal),
        "+": () => view?.zoom(0.5),
        "=": () => view?.zoom(0.5),
        "-": () => view?.zoom(2),
        0: () => view?.zoom(Infinity),
        "/": () => document.querySelector("#search")?.focus(),
        p: () => app.process(),
        e: () => app.export(),
        j: () => app.open(app.page === "jobs" ? "#/" : "#/jobs"),
        F2: () => app.rename(),
        "?": openHelp,
        F1: openHelp,
    };
    if (!Object.hasOwn(keys, key)) return false;
    keys[key]();
    return true;
}

/** The name of a key; of arrows up and down, with Shift or Alt. */
function nameOf({ key, shiftKey, altKey }) {
    if (key.length === 1) return key.toLowerCase();
    if (!ALT_KEYS.includes(key)) return key;
    return altKey ? `Alt+${key}` : shiftKey ? `Shift+${key}` : key;
}

function changeSpeed(player, step) {
    if (canShift()) player.setKeySpeed({ speed: player.keySpeed.speed + step });
}

function changeKey(player, semitones) {
    if (canShift()) player.setKeySpeed({ semitones: player.keySpeed.semitones + semitones });
}
