// A menu that opens at a button, with the keys that menus have: arrows, Home, End and Escape.

import { el } from "../base/dom.js";
import { icon } from "../base/icons.js";

/**
 * Opens a menu at a button, or closes it if it is open.
 *
 * @param {HTMLElement} opener
 * @param {Array<{text: string, action: () => void, isChosen?: boolean, isDanger?: boolean}|
 *     {heading: string}|null>} items `null` is a separator; with `isChosen`, an item is one of a choice
 * @param {HTMLElement} [focused] gets the focus when the menu closes
 */
export function openMenu(opener, items, focused = opener) {
    if (opener.getAttribute("aria-expanded") === "true") return;
    const menu = el("div.menu", { role: "menu", "aria-label": opener.getAttribute("aria-label") });
    const close = (returnsFocus) => {
        menu.remove();
        opener.setAttribute("aria-expanded", "false");
        document.removeEventListener("pointerdown", outside, true);
        if (returnsFocus) focused.focus();
    };
    const outside = (event) => {
        if (!menu.contains(event.target)) close(opener.contains(event.target));
    };
    menu.append(...items.map((item) => entry(item, () => close(true))));
    menu.addEventListener("keydown", (event) => move(event, menu, close));
    opener.setAttribute("aria-haspopup", "menu");
    opener.setAttribute("aria-expanded", "true");
    // Within the landmark of its opener; not within a row of a list, which would contain it.
    (opener.closest("main, .library") ?? document.body).append(menu);
    place(menu, opener.getBoundingClientRect());
    setTimeout(() => document.addEventListener("pointerdown", outside, true));
    menu.querySelector("button")?.focus();
}

function entry(item, close) {
    if (item === null) return el("div.menu-line", { role: "separator" });
    if (item.heading) return el("div.menu-heading", { role: "presentation" }, item.heading);
    const isOption = item.isChosen !== undefined;
    return el(
        `button.menu-item${item.isDanger ? ".danger-text" : ""}`,
        {
            type: "button",
            role: isOption ? "menuitemradio" : "menuitem",
            "aria-checked": isOption ? String(item.isChosen) : null,
            tabindex: -1,
            onclick: () => {
                close();
                item.action();
            },
        },
        isOption ? el("span.menu-check", {}, item.isChosen ? icon("check", 14) : null) : null,
        item.text,
    );
}

function move(event, menu, close) {
    const items = [...menu.querySelectorAll("button")];
    const at = items.indexOf(document.activeElement);
    const to = {
        ArrowDown: (at + 1) % items.length,
        ArrowUp: (at + items.length - 1) % items.length,
        Home: 0,
        End: items.length - 1,
    }[event.key];
    if (to !== undefined) items[to].focus();
    else if (event.key === "Escape" || event.key === "Tab") close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
}

function place(menu, anchor) {
    const { width, height } = menu.getBoundingClientRect();
    const left = Math.min(Math.max(8, anchor.right - width), innerWidth - width - 8);
    const below = anchor.bottom + 4;
    const top = below + height + 8 > innerHeight ? Math.max(8, anchor.top - height - 4) : below;
    menu.style.left = `${Math.max(8, left)}px`;
    menu.style.top = `${top}px`;
}
