// Helpers that build and update elements. Texts are always text nodes, never markup, so that titles and
// file names cannot inject anything.

/**
 * Creates an element.
 *
 * @param {string} tag name of the element, with classes after dots: `div.card.wide`
 * @param {Object<string, *>} [attributes] attributes; `on…` are event handlers, `style` is an object of
 *     custom properties, and `false`, `null` and `undefined` leave an attribute out
 * @param {...(Node|string|null|false|undefined|Array)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
    const [name, ...classes] = tag.split(".");
    const element = document.createElement(name);
    if (classes.length > 0) element.className = classes.join(" ");
    for (const [key, value] of Object.entries(attributes)) set(element, key, value);
    element.append(...flat(children));
    return element;
}

function set(element, key, value) {
    if (value === false || value === null || value === undefined) return;
    if (key.startsWith("on")) {
        element.addEventListener(key.slice(2), value);
    } else if (key === "style") {
        for (const [property, content] of Object.entries(value)) element.style.setProperty(property, content);
    } else if (key === "value" || key === "checked" || key === "disabled" || key === "indeterminate") {
        element[key] = value;
    } else {
        element.setAttribute(key, value === true ? "" : value);
    }
}

function flat(children) {
    return children
        .flat(Infinity)
        .filter((child) => child !== null && child !== false && child !== undefined);
}

/**
 * Replaces the children of an element.
 *
 * @param {Element} parent
 * @param {...(Node|string|null|false|undefined|Array)} children
 */
export function fill(parent, ...children) {
    parent.replaceChildren(...flat(children));
}

/**
 * Sets a text only if it changed, so that live regions do not repeat it.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

/**
 * Sets or removes an attribute only if it changed.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string|boolean|null} value
 */
export function setAttribute(element, name, value) {
    if (value === null || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value))
        element.setAttribute(name, value === true ? "" : value);
}

/**
 * Makes the children of a list equal to items, reusing elements by key, so that the focus and the
 * scroll position survive updates.
 *
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {{key: (item: T) => string|number, create: (item: T) => Element,
 *     update?: (element: Element, item: T) => void}} how
 */
export function reconcile(parent, items, { key, create, update }) {
    const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    let place = parent.firstElementChild;
    for (const item of items) {
        const id = String(key(item));
        let element = old.get(id);
        if (element) {
            old.delete(id);
        } else {
            element = create(item);
            element.dataset.key = id;
        }
        if (update) update(element, item);
        if (element === place) place = place.nextElementSibling;
        else parent.insertBefore(element, place);
    }
    for (const element of old.values()) element.remove();
}

/**
 * Calls a function at most once a frame of the display, however often it was requested.
 *
 * @param {() => void} action
 * @returns {() => void}
 */
export function eachFrame(action) {
    let isPending = false;
    return () => {
        if (isPending) return;
        isPending = true;
        requestAnimationFrame(() => {
            isPending = false;
            action();
        });
    };
}

/**
 * Calls a function once requests have ceased for some time.
 *
 * @param {number} milliseconds
 * @param {() => void} action
 * @returns {() => void}
 */
export function settled(milliseconds, action) {
    let timer = 0;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(action, milliseconds);
    };
}
