// Ranges of frames as the server writes them: ascending lists of [from, to), disjoint. Pure.

/**
 * The frames that are in all lists.
 *
 * @param {Array<Array<[number, number]>>} lists at least one
 * @returns {Array<[number, number]>}
 */
export function intersection(lists) {
    return lists.reduce((left, right) => {
        const both = [];
        let [i, j] = [0, 0];
        while (i < left.length && j < right.length) {
            const from = Math.max(left[i][0], right[j][0]);
            const to = Math.min(left[i][1], right[j][1]);
            if (from < to) both.push([from, to]);
            if (left[i][1] < right[j][1]) i += 1;
            else j += 1;
        }
        return both;
    });
}

/**
 * The range that contains a frame, or `null`.
 *
 * @param {Array<[number, number]>} ranges
 * @param {number} frame
 * @returns {[number, number]|null}
 */
export function rangeAt(ranges, frame) {
    let [low, high] = [0, ranges.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if (ranges[middle][1] <= frame) low = middle + 1;
        else high = middle;
    }
    const found = ranges[low];
    return found && found[0] <= frame ? found : null;
}

/**
 * The part of the ranges within [from, to).
 *
 * @param {Array<[number, number]>} ranges
 * @param {number} from
 * @param {number} to
 * @returns {Array<[number, number]>}
 */
export function within(ranges, from, to) {
    return intersection([ranges, [[from, to]]]);
}

/**
 * Number of frames in all ranges.
 *
 * @param {Array<[number, number]>} ranges
 * @returns {number}
 */
export function length(ranges) {
    return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}
