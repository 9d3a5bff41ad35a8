// The models: install one after a look at its terms, watch the download, stop it, remove one.

import { get, send } from "../base/api.js";
import { button } from "../base/controls.js";
import { el, fill, reconcile, setAttribute, setText } from "../base/dom.js";
import { events } from "../base/events.js";
import { icon } from "../base/icons.js";
import { bytes, percent } from "../base/numbers.js";
import { t } from "../base/words.js";
import { ask, cancelButton, openDialog } from "./dialog.js";
import { attempt } from "./notices.js";

const ABOUT = {
    htdemucs: () => t("settings-about-default"),
    htdemucs_ft: () => t("settings-about-specialists"),
    htdemucs_6s: () => t("settings-about-six"),
    kim_vocals: () => t("settings-about-kim"),
};

/** Opens the list of models. */
export async function openModels() {
    const list = el("ul.models", { "aria-label": t("page-models") });
    let models = await readModels();
    const show = () => reconcile(list, models, { key: (model) => model.name, create, update });
    const stops = [
        events.on("model", (changed) => {
            models = models.map((model) => (model.name === changed.name ? changed : model));
            show();
        }),
        events.on("resync", () =>
            attempt(async () => {
                models = await readModels();
                show();
            }),
        ),
    ];
    show();
    const dialog = openDialog({
        title: t("page-models"),
        body: [list],
        actions: [cancelButton(t("close"))],
        class: ".wide",
    });
    dialog.element.addEventListener("close", () => stops.forEach((stop) => stop()));
}

async function readModels() {
    const { models } = await get("/models");
    return models.filter((model) => !model.is_chain);
}

function create({ name }) {
    const act = (method, end, body) => attempt(() => send(method, `/models/${encodeURIComponent(name)}${end}`, body));
    const terms = el("div.model-terms", { hidden: true });
    const install = button(t("action-install-model"), () => {
        terms.hidden = !terms.hidden;
        setAttribute(install, "aria-expanded", String(!terms.hidden));
        if (!terms.hidden) accept.focus();
    });
    const accept = button(
        t("settings-accept"),
        () => {
            terms.hidden = true;
            act("POST", "/install", { accepts_terms: true });
        },
        { class: ".primary" },
    );
    setAttribute(install, "aria-expanded", "false");
    fill(terms, el("p", {}), accept);
    const stop = button(t("settings-stop"), () => act("POST", "/cancel"));
    const remove = button(t("settings-remove-model"), () =>
        ask({
            title: t("page-remove-title", { title: name }),
            text: t("page-remove-model-text"),
            go: t("settings-remove-model"),
            action: () => act("DELETE", ""),
        }),
    );
    const row = el(
        "li.model",
        {},
        el("div.model-text", {}, el("strong", {}, name), el("p.dim"), el("p.model-state", { role: "status" })),
        el("div.model-actions", {}, install, stop, remove),
        el("progress.bar", { max: 1, "aria-label": t("page-installing", { name }) }),
        terms,
    );
    row.parts = { terms, install, stop, remove };
    return row;
}

function update(row, model) {
    const { terms, install, stop, remove } = row.parts;
    const isRunning = Boolean(model.task && !model.task.problem);
    const about = Object.hasOwn(ABOUT, model.name) ? ABOUT[model.name]() : model.title;
    setText(row.querySelector(".dim"), about || t("settings-own-model"));
    const state = row.querySelector(".model-state");
    state.classList.toggle("failure-text", Boolean(model.task?.problem));
    if (model.task?.problem) fill(state, icon("warning", 14), model.task.problem.detail);
    else setText(state, stateText(model));
    setText(terms.querySelector("p"), model.terms);
    install.hidden = model.is_installed || isRunning || !model.can_be_installed;
    terms.hidden ||= install.hidden;
    stop.hidden = !isRunning;
    remove.hidden = !model.is_installed || isRunning;
    const bar = row.querySelector("progress");
    bar.hidden = !isRunning;
    const fraction = model.task?.fraction ?? null;
    if (fraction === null) bar.removeAttribute("value");
    else setAttribute(bar, "value", fraction.toFixed(3));
}

function stateText({ task, is_installed: isInstalled, bytes: size }) {
    if (task) return task.fraction === null ? task.step : `${task.step}, ${percent(task.fraction)}`;
    const text = { size: bytes(size) };
    return isInstalled ? t("settings-installed", text) : t("settings-not-installed", text);
}
