// Small values that outlive the page, in the browser's local storage. A browser that forbids storage
// only forgets them.

const PREFIX = "partita.";

/**
 * Reads a stored value.
 *
 * @template T
 * @param {string} name
 * @param {T} otherwise the value if none is stored
 * @returns {T}
 */
export function recall(name, otherwise) {
    try {
        const text = localStorage.getItem(PREFIX + name);
        return text === null ? otherwise : JSON.parse(text);
    } catch {
        return otherwise;
    }
}

/**
 * Stores a value, or removes it if it is `null`.
 *
 * @param {string} name
 * @param {*} value
 */
export function remember(name, value) {
    try {
        if (value === null) localStorage.removeItem(PREFIX + name);
        else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
        // Storage is full or forbidden: the value lasts as long as the page.
    }
}
