// What a view has to undo when it is removed: listeners, observers and timers.

/** A list of actions for the end of a view. */
export class Scope {
    #actions = [];

    /**
     * Adds an action for the end.
     *
     * @param {() => void} action
     */
    add(action) {
        this.#actions.push(action);
    }

    /**
     * Listens to a target of the browser until the end.
     *
     * @param {EventTarget} target
     * @param {string} name
     * @param {(event: Event) => void} listener
     * @param {AddEventListenerOptions} [options]
     */
    listen(target, name, listener, options) {
        target.addEventListener(name, listener, options);
        this.add(() => target.removeEventListener(name, listener, options));
    }

    /** Runs all actions. */
    end() {
        for (const action of this.#actions.splice(0).reverse()) action();
    }
}
