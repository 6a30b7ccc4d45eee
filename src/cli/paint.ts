// Colour as a function, so that whatever makes lines is pure and the same without a terminal.

import { styleText } from "node:util";

/** What a text is shown as. Meaning is never in the colour alone: words and marks say it too. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** A text in a style. */
export type Paint = (style: Style, text: string) => string;

/** No colour at all. */
export const plain: Paint = (_style, text) => text;

/** Colours where the stream is a terminal; NO_COLOR and FORCE_COLOR decide before that. */
export function createPaint(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}
