// Named events within the page. A listener lasts until the function that `on` returned is called.

/** A source of named events. */
export class Emitter {
    #listeners = new Map();

    /**
     * Adds a listener.
     *
     * @param {string} name
     * @param {(data: *) => void} listener
     * @returns {() => void} removes the listener
     */
    on(name, listener) {
        const listeners = this.#listeners.get(name) ?? new Set();
        this.#listeners.set(name, listeners.add(listener));
        return () => listeners.delete(listener);
    }

    /**
     * Calls the listeners of an event.
     *
     * @param {string} name
     * @param {*} [data]
     */
    emit(name, data) {
        for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(data);
    }
}
