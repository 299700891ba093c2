/** Width of the narrowest terminal that an engineer may stand at. */
export const width = 80;

/**
 * The text in lines of at most 80 columns: the first begins with `first`, each further one with as many blanks as
 * `hang`. A word that is longer than a line is cut. Whatever could move the cursor or turn the direction of writing is
 * left out: parts of the text come from programs and other machines.
 */
export function wrap(text: string, first = '', hang = first.length): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  const turn = (): void => {
    lines.push(line);
    line = ' '.repeat(hang);
    empty = true;
  };
  for (const whole of plain(text).split(' ')) {
    let word = whole;
    if (!empty && line.length + 1 + word.length > width) turn();
    while (word.length > width - line.length - (empty ? 0 : 1)) {
      const room = width - line.length;
      line += word.slice(0, room);
      word = word.slice(room);
      turn();
    }
    line += (empty ? '' : ' ') + word;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}

function plain(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}
