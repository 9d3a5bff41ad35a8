// A change of key and speed, each independent of the other. Pure. The ranges are those of the window.

/** Largest changes in semitones and in cents. */
export const MOST_SEMITONES = 12;
export const MOST_CENTS = 50;
/** Lowest and highest speed, and the step of its keys. */
export const SPEEDS = [0.5, 1.5];
export const SPEED_STEP = 0.05;

/** A change of key and speed. */
export class KeySpeed {
    /**
     * @param {{semitones?: number, cents?: number, speed?: number}} [change] limited to the ranges; the
     *     speed is rounded to hundredths
     */
    constructor({ semitones = 0, cents = 0, speed = 1 } = {}) {
        this.semitones = limited(semitones, MOST_SEMITONES);
        this.cents = limited(cents, MOST_CENTS);
        /** Frames of a song in 100 frames that are heard, so that positions are exact. */
        this.percent = Math.min(100 * SPEEDS[1], Math.max(100 * SPEEDS[0], Math.round(100 * speed)));
    }

    /** Speed; 1 is unchanged. */
    get speed() {
        return this.percent / 100;
    }

    /** The whole change of the key in cents. */
    get allCents() {
        return 100 * this.semitones + this.cents;
    }

    /** Semitones by which the pitch is shifted after the speed changed it. */
    get shift() {
        return this.allCents / 100 - 12 * Math.log2(this.speed);
    }

    /** Whether nothing changes. */
    get isPlain() {
        return this.allCents === 0 && this.percent === 100;
    }

    /** This change with other values. */
    with(change) {
        return new KeySpeed({ semitones: this.semitones, cents: this.cents, speed: this.speed, ...change });
    }
}

function limited(value, most) {
    return Math.min(most, Math.max(-most, Math.round(value)));
}
