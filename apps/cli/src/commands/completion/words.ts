/**
 * The words of an unfinished line, as a shell would see them: blanks separate, quotes and backslashes are taken off, nothing is expanded. The last one is the one that
 * is being typed; after a blank that is an empty one.
 */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  let started = false;
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      started = true;
    } else if (character === "\\") {
      index += 1;
      word += line.charAt(index);
      started = true;
    } else if (/\s/.test(character)) {
      if (started) words.push(word);
      word = "";
      started = false;
    } else {
      word += character;
      started = true;
    }
  }
  words.push(word);
  return words;
}
