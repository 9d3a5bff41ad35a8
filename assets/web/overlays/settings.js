// The menu of the page: language, theme, shortcuts and reset.

import { get, send } from "../base/api.js";
import { songsAndJobs } from "../base/numbers.js";
import { chooseTheme, theme } from "../base/theme.js";
import { chooseLanguage, language, LANGUAGES, t } from "../base/words.js";
import { ask } from "./dialog.js";
import { openHelp } from "./help.js";
import { openMenu } from "./menu.js";
import { openModels } from "./models.js";
import { attempt } from "./notices.js";

/**
 * Opens the menu.
 *
 * @param {import("../app.js").App} app
 * @param {HTMLElement} opener
 */
export function openSettings(app, opener) {
    const themes = [
        ["system", t("settings-system")],
        ["light", t("settings-light")],
        ["dark", t("settings-dark")],
    ];
    openMenu(opener, [
        { heading: t("settings-language") },
        ...LANGUAGES.map(({ tag, name }) => ({
            text: name,
            isChosen: tag === language(),
            action: () => attempt(() => chooseLanguage(tag)),
        })),
        null,
        { heading: t("settings-theme") },
        ...themes.map(([name, text]) => ({
            text,
            isChosen: name === theme(),
            action: () => chooseTheme(name),
        })),
        null,
        { text: t("page-models"), action: () => attempt(openModels) },
        { text: t("action-help"), action: openHelp },
        ...(app.needsToken ? [{ text: t("page-sign-out"), action: () => attempt(() => signOut()) }] : []),
        { text: t("settings-reset"), isDanger: true, action: () => attempt(() => askReset(app)) },
    ]);
}

async function signOut() {
    await send("DELETE", "/session");
    location.reload();
}

/**
 * Asks before everything is removed, with the counts of what would be lost.
 *
 * @param {import("../app.js").App} app
 */
export async function askReset(app) {
    const [songs, jobs] = await Promise.all([get("/songs?limit=1"), get("/jobs?limit=1")]);
    ask({
        title: t("question-reset"),
        text: t("page-reset-text", { what: songsAndJobs(songs.total, jobs.total) }),
        go: t("question-reset-go"),
        action: () =>
            attempt(async () => {
                await app.library.reset();
                await app.jobs.refresh();
                app.open("#/");
            }),
    });
}
