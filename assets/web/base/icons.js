// Icons as SVG elements, drawn on a grid of 16. They are decoration: the control around them has a name.

const SHAPES = {
    play: { fill: "M4.5 2.6v10.8L13.2 8z" },
    pause: { fill: "M4 3h3v10H4zM9 3h3v10H9z" },
    start: { fill: "M3 3h1.6v10H3zM13 3v10L5.4 8z" },
    end: { fill: "M11.4 3H13v10h-1.6zM3 3v10l7.6-5z" },
    stop: { fill: "M4 4h8v8H4z" },
    loop: {
        line:
            "M4 10.5v-3a3 3 0 0 1 3-3h6M11 2.2l2.3 2.3L11 6.8" +
            "M12 5.5v3a3 3 0 0 1-3 3H3M5 13.8l-2.3-2.3L5 9.2",
    },
    close: { line: "M3.5 3.5l9 9M12.5 3.5l-9 9" },
    search: { line: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.3 10.3L14 14" },
    settings: {
        line:
            "M2.5 5h6M12.5 5h1M2.5 11h1M7.5 11h6" +
            "M8.5 5a2 2 0 1 0 4 0a2 2 0 1 0-4 0M3.5 11a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
    },
    sun: {
        line:
            "M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15" +
            "M3 3l1.2 1.2M11.8 11.8L13 13M13 3l-1.2 1.2M4.2 11.8L3 13",
    },
    moon: { line: "M13.4 9.4A5.8 5.8 0 0 1 6.6 2.6a5.8 5.8 0 1 0 6.8 6.8z" },
    down: { line: "M4 6l4 4 4-4" },
    right: { line: "M6 4l4 4-4 4" },
    back: { line: "M10 3L5 8l5 5" },
    download: { line: "M8 2v8M4.5 6.8L8 10.3l3.5-3.5M2.5 13.5h11" },
    retry: { line: "M12.8 8a4.8 4.8 0 1 1-1.4-3.4L13 6.2M13 2.6v3.6H9.4" },
    volume: {
        fill: "M2 6h2.6L8 3v10L4.6 10H2z",
        line: "M10.4 5.6a3.4 3.4 0 0 1 0 4.8M12.2 3.8a6 6 0 0 1 0 8.4",
    },
    sharp: { line: "M6.2 3v11M9.8 2v11M3.5 6.8l9-2M3.5 11.2l9-2" },
    warning: { line: "M8 2.2L14.6 13.6H1.4zM8 6.4v3.4M8 11.3v.9" },
    check: { line: "M3.5 8.3l3 3 6-6.4" },
    more: {
        fill:
            "M8 2.2a1.4 1.4 0 1 0 0 2.8a1.4 1.4 0 1 0 0-2.8z" +
            "M8 6.6a1.4 1.4 0 1 0 0 2.8a1.4 1.4 0 1 0 0-2.8zM8 11a1.4 1.4 0 1 0 0 2.8a1.4 1.4 0 1 0 0-2.8z",
    },
    pen: { line: "M3 13l.7-3L10.6 3.1a1.3 1.3 0 0 1 1.9 0l.4.4a1.3 1.3 0 0 1 0 1.9L6 12.3z" },
};

/**
 * Creates an icon.
 *
 * @param {keyof typeof SHAPES} name
 * @param {number} [size] in pixels
 * @returns {SVGElement}
 */
export function icon(name, size = 16) {
    const svg = drawing(size, size, "0 0 16 16");
    const { fill, line } = SHAPES[name];
    if (fill) svg.append(part("path", { d: fill, fill: "currentColor" }));
    if (line) {
        const stroke = { fill: "none", stroke: "currentColor", "stroke-width": "1.5" };
        svg.append(
            part("path", { d: line, "stroke-linecap": "round", "stroke-linejoin": "round", ...stroke }),
        );
    }
    return svg;
}

/**
 * The program's mark: four bars in the colours of vocals, drums, bass and other.
 *
 * @param {number} height in pixels
 * @returns {SVGElement}
 */
export function mark(height) {
    const svg = drawing(height * 0.92, height, "0 0 22 24");
    [
        ["vocals", 6, 12],
        ["drums", 0, 24],
        ["bass", 3, 17],
        ["other", 7.5, 9],
    ].forEach(([stem, y, tall], bar) => {
        svg.append(
            part("rect", { x: 0.5 + 6 * bar, y, width: 3, height: tall, rx: 1.5, class: `mark-${stem}` }),
        );
    });
    return svg;
}

/**
 * A ring that shows progress.
 *
 * @param {number} fraction
 * @returns {SVGElement}
 */
export function ring(fraction) {
    const svg = drawing(20, 20, "0 0 20 20");
    const circle = { cx: 10, cy: 10, r: 8, fill: "none", "stroke-width": 2.2 };
    svg.append(part("circle", { ...circle, class: "ring-track" }));
    const dash = `${(50.27 * fraction).toFixed(1)} 60`;
    const turn = { "stroke-dasharray": dash, transform: "rotate(-90 10 10)", "stroke-linecap": "round" };
    svg.append(part("circle", { ...circle, ...turn, class: "ring-value" }));
    return svg;
}

function drawing(width, height, viewBox) {
    return part("svg", { width, height, viewBox, "aria-hidden": "true", focusable: "false" });
}

function part(name, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
}
