import { visible } from "../output/visible.ts";

const PASTE_START = "\x1B[200~";
const PASTE_END = "\x1B[201~";

/** How far the answer is: `line` after Enter, `interrupt` after Ctrl-C, `end` after Ctrl-D. */
export type LineState = "typing" | "line" | "interrupt" | "end";

/** Turns the bytes of a terminal in raw mode into one answer. Knows backspace, Ctrl-U and marked pastes; everything else that is no text is ignored. */
export class LineReader {
  readonly #decoder = new TextDecoder();
  #waiting = "";
  #text = "";
  #state: LineState = "typing";
  #pasting = false;

  push(bytes: Uint8Array): void {
    this.#waiting += this.#decoder.decode(bytes, { stream: true });
    this.#read();
  }

  /** Starts the next answer. */
  begin(): void {
    this.#text = "";
    this.#state = "typing";
    this.#read();
  }

  state(): LineState {
    return this.#state;
  }

  /** What was typed so far, safe to show. */
  text(): string {
    return visible(this.#text);
  }

  /** Whether something came behind the line break. */
  hasMore(): boolean {
    return this.#waiting !== "";
  }

  /** The answer. */
  take(): string {
    return this.#text;
  }

  #read(): void {
    while (this.#state === "typing" && this.#waiting !== "") {
      const taken = this.#pasting ? this.#readPaste() : this.#readKey();
      // The start of a sequence that is not complete yet.
      if (taken === 0) return;
      this.#waiting = this.#waiting.slice(taken);
    }
  }

  #readPaste(): number {
    const end = this.#waiting.indexOf(PASTE_END);
    if (end === -1) {
      // Everything but what may be the beginning of the end mark, or the first half of a line break.
      let length = this.#waiting.length - partialEnd(this.#waiting, PASTE_END);
      if (this.#waiting[length - 1] === "\r") length -= 1;
      this.#text += lineBreaks(this.#waiting.slice(0, length));
      return length;
    }
    this.#text += lineBreaks(this.#waiting.slice(0, end));
    this.#pasting = false;
    return end + PASTE_END.length;
  }

  #readKey(): number {
    const waiting = this.#waiting;
    if (waiting.startsWith(PASTE_START)) {
      this.#pasting = true;
      return PASTE_START.length;
    }
    if (waiting.startsWith("\x1B")) return escapeLength(waiting);
    const [character = ""] = waiting;
    if (character === "\r" || character === "\n") this.#state = "line";
    else if (character === "\x03") this.#state = "interrupt";
    else if (character === "\x04") this.#state = "end";
    else if (character === "\x7F" || character === "\b") this.#text = Array.from(this.#text).slice(0, -1).join("");
    else if (character === "\x15") this.#text = "";
    else if (character >= " " || character === "\t") this.#text += character;
    // A break of two characters is one Enter.
    return waiting.startsWith("\r\n") ? 2 : character.length;
  }
}

/** Terminals send a carriage return for every line break of a paste. */
function lineBreaks(pasted: string): string {
  return pasted.replaceAll(/\r\n?/g, "\n");
}

/** How many characters at the end of `text` may be the beginning of `mark`. */
function partialEnd(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length -= 1) {
    if (mark.startsWith(text.slice(-length))) return length;
  }
  return 0;
}

/** The length of the escape sequence (an arrow key) at the start, or 0 when it is not complete. */
function escapeLength(text: string): number {
  const behind = text.slice(1);
  const sequence = /^(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z])/.exec(behind)?.[0];
  if (sequence !== undefined) return sequence.length + 1;
  return /^(?:\[[0-?]*[ -/]*|O)?$/.test(behind) ? 0 : 1;
}
