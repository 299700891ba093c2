/** One row of a CSV file. `number` counts rows as a spreadsheet does: the header is row 1. */
export interface CsvRow {
  readonly number: number;
  readonly fields: readonly string[];
  /** The row's quoting is wrong from here on: the rest of the file cannot be told apart. */
  readonly broken?: string;
}

/**
 * Rows of a CSV text (RFC 4180): fields separated by commas, rows by CRLF or LF, fields in double quotes may hold
 * both and double a quote that they hold. Rows that are wholly empty are counted but left out.
 */
export function* readCsv(text: string): Generator<CsvRow> {
  let at = 0;
  for (let number = 1; at < text.length; number++) {
    const fields: string[] = [];
    let more = true;
    while (more) {
      const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
      if (typeof field === 'string') {
        yield { number, fields, broken: field };
        return;
      }
      fields.push(field.value);
      more = text[field.end] === ',';
      at = afterBreak(text, field.end);
    }
    if (fields.length > 1 || fields[0] !== '') yield { number, fields };
  }
}

interface Field {
  readonly value: string;
  /** Where the comma or the line break stands, or the length of the text. */
  readonly end: number;
}

function plainField(text: string, start: number): Field {
  let end = start;
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && !isBreak(text, end)) end++;
  return { value: text.slice(start, end), end };
}

/** The field, or what is wrong with its quotes. */
function quotedField(text: string, start: number): Field | string {
  let value = '';
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return 'a quote is opened and never closed';
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      const end = quote + 1;
      if (end < text.length && text[end] !== ',' && text[end] !== '\n' && !isBreak(text, end)) {
        return 'something stands between a closing quote and the next comma';
      }
      return { value, end };
    }
    value += '"';
    from = quote + 2;
  }
}

function isBreak(text: string, at: number): boolean {
  return text[at] === '\r' && text[at + 1] === '\n';
}

function afterBreak(text: string, end: number): number {
  return isBreak(text, end) ? end + 2 : end + 1;
}
