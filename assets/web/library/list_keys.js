// The keys of the list of songs. The list is one stop of Tab: arrows, Home, End and typing move within
// it. After a click, keys still belong to the page, so that a click on a song does not silence its
// shortcuts; only F2, Delete and the keys of the menu act on the clicked song.

const TYPING_PAUSE = 800;
/** Time within which a press of the mouse moves the focus, and a key opens a menu, in milliseconds. */
const AT_ONCE = 500;
/** Rows from the present one. */
const STEPS = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: 10,
    PageUp: -10,
    Home: -Infinity,
    End: Infinity,
};

/**
 * The keys of a list whose rows have a link and a button for their menu.
 *
 * @param {HTMLElement} list
 * @param {{titleOf: (key: string) => string, open: (key: string) => void, rename: (key: string) => void,
 *     remove: (key: string) => void, more: () => Promise<void>, all: () => Promise<void>}} actions `open`
 *     opens the menu of a row, `more` and `all` add rows
 * @returns {{keep: (update: () => void) => void}} `keep` runs an update of the rows, and keeps the focus
 *     and the stop of Tab in the list
 */
export function listKeys(list, actions) {
    const keys = new ListKeys(list, actions);
    list.addEventListener("keydown", (event) => keys.press(event));
    list.addEventListener("focusin", ({ target }) => keys.enter(target));
    list.addEventListener("pointerdown", () => keys.click());
    list.addEventListener("contextmenu", (event) => keys.hasOpenedMenu && event.preventDefault());
    return { keep: (update) => keys.keep(update) };
}

class ListKeys {
    #stop = null;
    #current = null;
    #isClicked = false;
    #clickedAt = -Infinity;
    #typed = "";
    #typedAt = 0;
    #menuAt = -Infinity;

    constructor(list, actions) {
        this.list = list;
        this.actions = actions;
    }

    /** Whether a key opened a menu just now; some browsers then open their own, too. */
    get hasOpenedMenu() {
        return performance.now() - this.#menuAt < AT_ONCE;
    }

    click() {
        this.#isClicked = true;
        this.#clickedAt = performance.now();
    }

    enter(element) {
        this.#isClicked = performance.now() - this.#clickedAt < AT_ONCE;
        this.#stopAt(element);
    }

    /** Makes an element the only one in the list that Tab reaches. */
    #stopAt(element) {
        if (this.#stop === element) return;
        this.#stop?.setAttribute("tabindex", "-1");
        element.setAttribute("tabindex", "0");
        this.#stop = element;
    }

    keep(update) {
        const focused = this.#rowOf(document.activeElement);
        const place = focused ? this.#rows.indexOf(focused) : -1;
        update();
        const rows = this.#rows;
        if (focused && !focused.isConnected) {
            const next = rows[Math.min(place, rows.length - 1)];
            if (next) this.#focus(next, 0);
            else document.querySelector("#search")?.focus();
        }
        const current = rows.find((row) => row.querySelector("[aria-current]"))?.dataset.key ?? null;
        const isOther = current !== null && current !== this.#current;
        this.#current = current;
        if (this.#stop?.isConnected && !isOther) return;
        const row = rows.find((one) => one.dataset.key === current) ?? rows[0];
        if (row) this.#stopAt(cells(row)[0]);
    }

    press(event) {
        const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
        const row = this.#rowOf(event.target);
        if (!row || ctrlKey || metaKey || altKey) return;
        const isMenu = key === "ContextMenu" || (key === "F10" && shiftKey);
        const isDone = isMenu ? this.#openMenu(row) : this.#act(row, key) || this.#move(row, event);
        if (isDone) event.preventDefault();
    }

    #openMenu(row) {
        this.#menuAt = performance.now();
        this.actions.open(row.dataset.key);
        return true;
    }

    #act(row, key) {
        const action = { F2: this.actions.rename, Delete: this.actions.remove }[key];
        action?.(row.dataset.key);
        return action !== undefined;
    }

    #move(row, { key, target }) {
        if (this.#isClicked) return false;
        const rows = this.#rows;
        const [place, column] = [rows.indexOf(row), cells(row).indexOf(target)];
        if (Object.hasOwn(STEPS, key)) {
            const to = Math.min(rows.length - 1, Math.max(0, place + STEPS[key]));
            this.#focus(rows[to], column);
            if (key === "End") this.#withAll(() => this.#focus(this.#rows.at(-1), column));
            else if (to === rows.length - 1) this.actions.more();
            return true;
        }
        if (key === "ArrowRight" || key === "ArrowLeft") {
            this.#focus(row, key === "ArrowRight" ? 1 : 0);
            return true;
        }
        return this.#type(key, place);
    }

    /** Moves to the next row whose title begins with what was typed. */
    #type(key, place) {
        const now = performance.now();
        const isGoingOn = this.#typed !== "" && now - this.#typedAt < TYPING_PAUSE;
        const isText = /^[\p{L}\p{N}]$/u.test(key) || (isGoingOn && [...key].length === 1);
        if (!isText) return false;
        this.#typed = (isGoingOn ? this.#typed : "") + key.toLocaleLowerCase();
        this.#typedAt = now;
        // The first letter leaves the present row; further ones may stay in it.
        const first = place + (isGoingOn ? 0 : 1);
        if (this.#find(first)) return true;
        const typed = this.#typed;
        this.#withAll(() => this.#typed === typed && this.#find(first));
        return true;
    }

    /** Acts once all rows are there, unless the focus has left the list. */
    async #withAll(action) {
        await this.actions.all();
        if (this.list.contains(document.activeElement)) action();
    }

    #find(first) {
        const rows = this.#rows;
        const order = rows.map((_, step) => rows[(first + step) % rows.length]);
        const found = order.find((row) =>
            this.actions.titleOf(row.dataset.key).toLocaleLowerCase().startsWith(this.#typed),
        );
        if (found) this.#focus(found, 0);
        return Boolean(found);
    }

    #focus(row, column) {
        (cells(row)[column] ?? cells(row)[0]).focus();
    }

    #rowOf(element) {
        return this.list.contains(element) ? element.closest("[data-key]") : null;
    }

    get #rows() {
        return [...this.list.children];
    }
}

function cells(row) {
    return [...row.querySelectorAll("a, button")];
}
