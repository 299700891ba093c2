import { describe, expect, test } from 'vitest';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
const second = 'L898902C36UTO7408122F1204159ZE184226B<<<<<10';

/** Names as they stand in a passport's first line, filled up to its end. */
function namesOf(field: string) {
  const reading = readDocument(Buffer.from(`P<UTO${field.padEnd(39, '<')}\r${second}`, 'latin1'), today);
  if (reading.kind !== 'document') throw new Error(reading.reason);
  return reading.document.names;
}

describe('names (ICAO Doc 9303 part 3 § 4.6)', () => {
  test.each([
    ['ERIKSSON<<ANNA<MARIA', 'ERIKSSON', 'ANNA MARIA'],
    ['VAN<DER<MUELLEN<<MARTEN', 'VAN DER MUELLEN', 'MARTEN'],
    ['SMITH<JONES<<SUSIE<MARGARET', 'SMITH JONES', 'SUSIE MARGARET'],
    ['DIARTISTE<<ENRICA', 'DIARTISTE', 'ENRICA'],
    ['ARKFREITH', 'ARKFREITH', ''],
    ['NILAVADHANANANDA<<CHAYAPA<<DEJTHAMRONG', 'NILAVADHANANANDA', 'CHAYAPA DEJTHAMRONG'],
  ])('%s is %j and %j', (field, primary, secondary) => {
    expect(namesOf(field)).toEqual({ primary, secondary, truncated: false });
  });
});

describe('truncated names (ICAO Doc 9303 part 4 § 4.2.3)', () => {
  test('a letter in the last place of the field says that names may be missing', () => {
    const full = 'NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGUANG'.slice(0, 39);
    expect(full).toMatch(/[A-Z]$/);
    expect(namesOf(full)).toMatchObject({ primary: 'NILAVADHANANANDA', truncated: true });
    expect(namesOf(full.slice(0, 38))).toMatchObject({ truncated: false });
  });

  test('a primary identifier that fills the field leaves no room for another', () => {
    const full = 'BENNELONG<WOOLOOMOOLOO<WARRANDYTE<WARNAMBOOL'.slice(0, 39);
    expect(namesOf(full)).toEqual({
      primary: full.replaceAll('<', ' '),
      secondary: '',
      truncated: true,
    });
  });

  test('a last place that was not read does not tell', () => {
    expect(namesOf(`${'ERIKSSON<<ANNA'.padEnd(38, 'A')}?`)).toMatchObject({ truncated: false });
  });

  test.each([
    [
      'a card of two lines: the end of line 1',
      'I<UTOERIKSSON<<ANNA<MARIA<KATHARINA',
      ['D231458907UTO7408122F1204159<<<<<<<6'],
    ],
    [
      'a visa of the smaller size',
      'V<UTOERIKSSON<<ANNA<MARIA<KATHARINA',
      ['L8988901C4XXX4009078F9612109<<<<<<<<'],
    ],
  ])('%s', (_, first, others) => {
    const read = (line: string) => readDocument(Buffer.from([line, ...others].join('\r')), today);
    expect(read(`${first}E`)).toMatchObject({ document: { names: { truncated: true } } });
    expect(read(`${first}<`)).toMatchObject({ document: { names: { truncated: false } } });
  });

  test('a card of three lines: the end of line 3', () => {
    const lines = ['I<UTOD231458907<<<<<<<<<<<<<<<', '7408122F1204159UTO<<<<<<<<<<<6'];
    const read = (names: string) => readDocument(Buffer.from([...lines, names].join('\r')), today);
    expect(read('ERIKSSON<<ANNA<MARIA<KATHARINA')).toMatchObject({
      document: { names: { truncated: true } },
    });
    expect(read('ERIKSSON<<ANNA<MARIA<KATHARIN<')).toMatchObject({
      document: { names: { truncated: false } },
    });
  });

  test('the old French card: each of its two fields', () => {
    const read = (first: string, given: string) =>
      readDocument(
        Buffer.from(`IDFRA${first.padEnd(31, '<')}\r8806923102858${given.padEnd(14, '<')}6512068F6`),
        today,
      );
    expect(read('BERTHIER', 'CORINNE')).toMatchObject({ document: { names: { truncated: false } } });
    expect(read('BERTHIER', 'CORINNEMARIEAN')).toMatchObject({ document: { names: { truncated: true } } });
    expect(read('B'.repeat(25), 'CORINNE')).toMatchObject({ document: { names: { truncated: true } } });
    // What stands behind the names belongs to the office that issued it.
    expect(read(`${'BERTHIER'.padEnd(25, '<')}952042`, 'CORINNE')).toMatchObject({
      document: { names: { primary: 'BERTHIER', truncated: false }, optional: ['952042'] },
    });
  });
});
