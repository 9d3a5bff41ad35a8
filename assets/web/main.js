// The start of the page: words, theme, session, then the views. `window.partita` is for tests.

import { get } from "./base/api.js";
import { startEvents } from "./base/events.js";
import { startTheme } from "./base/theme.js";
import { startWords } from "./base/words.js";
import { App } from "./app.js";
import { listenToKeys } from "./overlays/help.js";
import { openSession, watchSession } from "./overlays/token.js";
import { renderOffline } from "./player/offline.js";

async function start() {
    const place = document.querySelector("#app");
    startTheme();
    await startWords();
    await openSession(place);
    const { needs_token: needsToken } = await get("/session");
    const app = new App(place, needsToken);
    window.partita = { renderOffline, app };
    listenToKeys(app);
    watchSession(async () => {
        // The views are built again once the session is open.
        app.player.pause();
        await openSession(place);
        location.reload();
    });
    app.mount();
    await startEvents();
    await app.start();
}

start();
