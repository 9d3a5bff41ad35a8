// The stems of a song as a tree, and how loud each is. It follows the window:
//
// - A stem is in the mix if it is heard, and it or a stem that it is a part of is ticked.
// - A stem that is heard through its parts is a group. Its gain, pan, mute and solo act on all of them.
//
// Pure: it neither draws nor plays.

/** Name of the lane with the song minus all stems. */
export const RESIDUAL = "residual";

const ORDER = ["vocals", "drums", "bass", "other", "guitar", "piano"];

/** A lane's settings by default: the residual is muted, and parts of an instrument are not ticked. */
function defaults(name, isPart) {
    return { ticked: !isPart, gain_db: 0, pan: 0, muted: name === RESIDUAL, soloed: false };
}

/**
 * Linear gains of left and right. The balance only attenuates one side.
 *
 * @param {{gain_db: number|null, pan: number}} settings
 * @returns {[number, number]}
 */
export function sides({ gain_db, pan }) {
    const gain = gain_db === null ? 0 : 10 ** (gain_db / 20);
    return [gain * clamp(1 - pan), gain * clamp(1 + pan)];
}

function clamp(side) {
    return Math.min(1, Math.max(0, side));
}

/** The stems of a song with their places in the tree, and the settings of their lanes. */
export class Instruments {
    /**
     * @param {Array<{name: string, parent: string|null, is_rest?: boolean, is_heard?: boolean}>} stems
     * @param {Object<string, object>} settings of the lanes by name, as the server keeps them
     */
    constructor(stems, settings) {
        this.stems = new Map(stems.map((stem) => [stem.name, stem]));
        this.settings = settings;
    }

    /** The settings of a lane. */
    lane(name) {
        const isPart = Boolean(this.stems.get(name)?.parent);
        return { ...defaults(name, isPart), ...this.settings[name] };
    }

    /** A stem and all that it is a part of, from the inside. */
    line(name) {
        const line = [];
        for (let at = name; at && !line.includes(at); at = this.stems.get(at)?.parent) line.push(at);
        return line;
    }

    /** Number of stems that a stem is a part of. */
    depth(name) {
        return this.line(name).length - 1;
    }

    /** Stems of a branch in display order; `null` is the song. A rest is last. */
    parts(parent) {
        const rank = ({ name, is_rest }) => {
            const known = ORDER.indexOf(name.toLowerCase());
            return (parent !== null && is_rest ? 100 : 0) + (known < 0 ? ORDER.length : known);
        };
        const parts = [...this.stems.values()].filter((stem) => (stem.parent ?? null) === parent);
        return parts.sort((a, b) => rank(a) - rank(b)).map((stem) => stem.name);
    }

    /** All stems in display order, each followed by its parts. */
    order(parent = null) {
        return this.parts(parent).flatMap((name) => [name, ...this.order(name)]);
    }

    isHeard(name) {
        return this.stems.get(name)?.is_heard !== false;
    }

    /** Whether a stem is heard through its parts. */
    isGroup(name) {
        return !this.isHeard(name) && this.#within(name).some((part) => this.isHeard(part));
    }

    #within(name) {
        return this.order(name);
    }

    /** Names of the ticked stems. */
    ticked() {
        return this.order().filter((name) => this.lane(name).ticked);
    }

    /** Whether a stem plays and is in the mix. */
    isInMix(name) {
        return this.isHeard(name) && this.line(name).some((stem) => this.lane(stem).ticked);
    }

    /** The stems with a lane: those in the mix, and the groups that they belong to. */
    rows() {
        const isShown = (name) =>
            this.isInMix(name) ||
            (this.isGroup(name) && this.#within(name).some((part) => this.isInMix(part)));
        return this.order().filter(isShown);
    }

    /** The stems to write as one file each. A group with a ticked part is written as its parts. */
    files() {
        return this.parts(null).flatMap((name) => this.#filesOf(name));
    }

    #filesOf(name) {
        if (this.isGroup(name) && this.#within(name).some((part) => this.lane(part).ticked)) {
            return this.parts(name).flatMap((part) => this.#filesOf(part));
        }
        return this.line(name).some((stem) => this.lane(stem).ticked) ? [name] : [];
    }

    /**
     * Names of the audible lanes, the residual and groups included. While a lane in the mix is soloed,
     * only soloed ones and parts of soloed groups are audible. A solo overrides a mute of the same lane
     * or further outside.
     *
     * @returns {Set<string>}
     */
    audible() {
        const names = [...this.stems.keys()];
        const isSoloed = (name) => this.line(name).some((stem) => this.lane(stem).soloed);
        const residual = this.lane(RESIDUAL);
        const anySolo =
            (residual.ticked && residual.soloed) ||
            names.some((name) => this.isInMix(name) && isSoloed(name));
        const audible = new Set();
        for (const name of names) {
            if (this.isInMix(name) && !this.#isMuted(name) && (!anySolo || isSoloed(name))) {
                for (const stem of this.line(name)) audible.add(stem);
            }
        }
        if (residual.ticked && (anySolo ? residual.soloed : !residual.muted)) audible.add(RESIDUAL);
        return audible;
    }

    #isMuted(name) {
        for (const stem of this.line(name)) {
            const { soloed, muted } = this.lane(stem);
            if (soloed) return false;
            if (muted) return true;
        }
        return false;
    }

    /**
     * Linear gains of left and right of the lanes that play as themselves, and of the residual: of a
     * part, the product of its own and those of its groups.
     *
     * @returns {Map<string, [number, number]>}
     */
    gains() {
        const audible = this.audible();
        const gains = new Map();
        for (const name of this.stems.keys()) {
            if (!this.isHeard(name)) continue;
            const product = this.line(name)
                .map((stem) => sides(this.lane(stem)))
                .reduce(([left, right], own) => [left * own[0], right * own[1]]);
            gains.set(name, audible.has(name) ? product : [0, 0]);
        }
        gains.set(RESIDUAL, audible.has(RESIDUAL) ? sides(this.lane(RESIDUAL)) : [0, 0]);
        return gains;
    }

    /**
     * The mix as an export asks for it: audible lanes with gain and balance.
     *
     * @returns {Array<{stem: string, gain_db: number, pan: number}>}
     */
    mix() {
        const heard = [...this.gains()].filter(([, [left, right]]) => left > 0 || right > 0);
        return heard.map(([stem, [left, right]]) => {
            const gain = Math.max(left, right);
            const pan = right >= left ? 1 - left / gain : right / gain - 1;
            return { stem, gain_db: 20 * Math.log10(gain), pan };
        });
    }
}
