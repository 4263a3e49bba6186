import { describe, expect, test } from "vitest";
import { LineReader } from "./line-reader.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function typed(...chunks: string[]): LineReader {
  const reader = new LineReader();
  reader.begin();
  for (const chunk of chunks) reader.push(bytes(chunk));
  return reader;
}

describe("typing", () => {
  test("Enter ends a line, as a carriage return, a line feed or both", () => {
    for (const enter of ["\r", "\n", "\r\n"]) {
      const reader = typed("pass", "word", enter);
      expect([reader.state(), reader.take(), reader.hasMore()]).toEqual(["line", "password", false]);
    }
  });

  test("backspace takes a whole character away, Ctrl-U everything", () => {
    expect(typed("a😀\x7Fb\x7F\x7F\x7F\x7Fc\r").take()).toBe("c");
    expect(typed("abc\x15d\r").take()).toBe("d");
  });

  test("Ctrl-C and Ctrl-D", () => {
    expect(typed("abc\x03").state()).toBe("interrupt");
    expect(typed("abc\x04").state()).toBe("end");
  });

  test("arrow keys and a lone Escape are no text, also in pieces", () => {
    expect(typed("a\x1B[Ab\x1BOBc\x1B", "[", "1;5Cd\r").take()).toBe("abcd");
    expect(typed("a\x1B", "\r").take()).toBe("a");
    expect(typed("a\x1B[\x03").state()).toBe("interrupt");
  });

  test("a character in two pieces", () => {
    const reader = new LineReader();
    reader.begin();
    const euro = bytes("€\r");
    reader.push(euro.slice(0, 1));
    reader.push(euro.slice(1));
    expect(reader.take()).toBe("€");
  });

  test("what is typed ahead is the next answer", () => {
    const reader = typed("one\rtwo\r");
    expect([reader.take(), reader.hasMore()]).toEqual(["one", true]);
    reader.begin();
    expect([reader.take(), reader.state()]).toEqual(["two", "line"]);
  });
});

describe("T7: pasting", () => {
  const pem = ["-----BEGIN KEY-----", "MIIC=", "", "-----END KEY-----", ""].join("\n");

  test("a marked paste of several lines is one answer, and Enter ends it", () => {
    const reader = typed(`\x1B[200~${pem.replaceAll("\n", "\r")}\x1B[201~`);
    expect(reader.state()).toBe("typing");
    reader.push(bytes("\r"));
    expect([reader.state(), reader.take(), reader.hasMore()]).toEqual(["line", pem, false]);
  });

  test("the same, byte by byte, with breaks of two characters", () => {
    const reader = typed(...`\x1B[200~${pem.replaceAll("\n", "\r\n")}\x1B[201~\r`.split(""));
    expect([reader.state(), reader.take()]).toEqual(["line", pem]);
  });

  test("control characters in a marked paste are part of it", () => {
    expect(typed("\x1B[200~a\x03\x04\x1B[Ab\x1B[201~\r").take()).toBe("a\x03\x04\x1B[Ab");
  });

  test("an unmarked paste of several lines is seen by what comes behind its first line", () => {
    const reader = typed(pem.replaceAll("\n", "\r"));
    expect([reader.state(), reader.hasMore()]).toEqual(["line", true]);
  });
});
