import { describe, expect, test } from 'vitest';
import type { TravelDocument } from '#contracts/documents.ts';
import { cleanPassport, stolenPassport } from '#test/rigs/documents.ts';
import type { Reading } from '#contracts/documents.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };

function swipe(...lines: readonly string[]): Reading {
  return readDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
}

function documentOf(...lines: readonly string[]): TravelDocument {
  const reading = swipe(...lines);
  if (reading.kind !== 'document') throw new Error(`unreadable: ${reading.reason}`);
  return reading.document;
}

const name = 'UTOERIKSSON<<ANNA<MARIA';

describe('the published specimens are read', () => {
  test('TD3, a passport, with every field and every digit', () => {
    expect(swipe(`P<${name}`.padEnd(44, '<'), 'L898902C36UTO7408122F1204159ZE184226B<<<<<10')).toEqual({
      kind: 'document',
      document: {
        format: 'TD3',
        documentCode: 'P',
        issuingState: 'UTO',
        documentNumber: 'L898902C3',
        variants: expect.any(Array),
        doubtful: [],
        repairs: [],
        names: { primary: 'ERIKSSON', secondary: 'ANNA MARIA', truncated: false },
        nationality: 'UTO',
        sex: 'F',
        birth: { raw: '740812', iso: '1974-08-12' },
        expiry: { raw: '120415', iso: '2012-04-15' },
        optional: ['ZE184226B'],
        checks: { number: true, birth: true, expiry: true, optional: true, composite: true },
      },
      warnings: ['expired', 'specimen'],
    });
  });

  test('TD1, a card of three lines', () => {
    const read = documentOf(
      'I<UTOD231458907<<<<<<<<<<<<<<<',
      '7408122F1204159UTO<<<<<<<<<<<6',
      'ERIKSSON<<ANNA<MARIA<<<<<<<<<<',
    );
    expect(read).toMatchObject({
      format: 'TD1',
      documentCode: 'I',
      documentNumber: 'D23145890',
      nationality: 'UTO',
      optional: ['', ''],
      names: { primary: 'ERIKSSON', secondary: 'ANNA MARIA' },
      checks: { number: true, birth: true, expiry: true, composite: true },
    });
  });

  test('TD1 with a number that goes on in the optional data', () => {
    const read = documentOf(
      'I<UTOD23145890<7349<<<<<<<<<<<',
      '3407127M9507122UTO<<<<<<<<<<<2',
      'STEVENSON<<PETER<JOHN<<<<<<<<<',
    );
    expect(read).toMatchObject({
      documentNumber: 'D23145890734',
      optional: ['', ''],
      birth: { iso: '1934-07-12' },
      expiry: { iso: '1995-07-12' },
      sex: 'M',
      checks: { number: true, birth: true, expiry: true, composite: true },
    });
  });

  test('TD2, a card of two lines', () => {
    const read = documentOf(`I<${name}`.padEnd(36, '<'), 'D231458907UTO7408122F1204159<<<<<<<6');
    expect(read).toMatchObject({
      format: 'TD2',
      documentNumber: 'D23145890',
      optional: [''],
      checks: { number: true, birth: true, expiry: true, composite: true },
    });
  });

  test('MRV-A and MRV-B, visas, which have no composite digit and no digit of the optional data', () => {
    const visas = [
      documentOf(`V<${name}`.padEnd(44, '<'), 'L8988901C4XXX4009078F96121096ZE184226B<<<<<<'),
      documentOf(`V<${name}`.padEnd(36, '<'), 'L8988901C4XXX4009078F9612109<<<<<<<<'),
    ];
    for (const visa of visas) {
      expect(visa).toMatchObject({
        documentCode: 'V',
        documentNumber: 'L8988901C',
        nationality: 'XXX',
        birth: { iso: '1940-09-07' },
        expiry: { iso: '1996-12-10' },
      });
      expect(visa.checks).toEqual({ number: true, birth: true, expiry: true });
    }
    expect(visas.map(({ format, optional }) => [format, optional])).toEqual([
      ['MRV-A', ['6ZE184226B']],
      ['MRV-B', ['']],
    ]);
  });

  test('the passports of the demonstration are whole and say nothing but that they are specimens', () => {
    for (const lines of [stolenPassport, cleanPassport]) {
      const reading = swipe(...lines);
      expect(reading).toMatchObject({ kind: 'document', warnings: ['specimen'] });
    }
  });
});

describe('national peculiarities', () => {
  test('the old French card, as long as a TD2, is read by its own fields, never with a wrong number', () => {
    const read = documentOf('IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<', '8806923102858CORINNE<<<<<<<6512068F6');
    expect(read).toMatchObject({
      format: 'FRA-ID',
      documentCode: 'ID',
      issuingState: 'FRA',
      documentNumber: '880692310285',
      names: { primary: 'BERTHIER', secondary: 'CORINNE' },
      birth: { iso: '1965-12-06' },
      expiry: { raw: '' },
      sex: 'F',
      checks: { number: true, birth: true, composite: true },
    });
    expect(read.expiry.iso).toBeUndefined();
  });

  test('a card of two lines that begins as the old French one but has a nationality is a TD2', () => {
    const td2 = ['IDFRAERIKSSON<<ANNA<MARIA'.padEnd(36, '<'), 'D231458907FRA7408122F1204159<<<<<<<6'];
    expect(documentOf(...td2)).toMatchObject({
      format: 'TD2',
      documentNumber: 'D23145890',
      checks: { number: true, birth: true, expiry: true, composite: true },
    });
  });

  test('Germany is D with two fillers and is listed', () => {
    const reading = swipe(
      'P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<',
      'C01X00T478D<<6408125F2702283<<<<<<<<<<<<<<<4',
    );
    expect(reading).toMatchObject({
      document: {
        issuingState: 'D',
        nationality: 'D',
        documentNumber: 'C01X00T47',
        checks: { number: true, birth: true, expiry: true, optional: true, composite: true },
      },
      warnings: [],
    });
  });

  test('a state that is nowhere listed is read all the same, with a warning', () => {
    const [first, second] = stolenPassport;
    expect(swipe(first.replace('UTO', 'QQQ'), second)).toMatchObject({
      document: { issuingState: 'QQQ' },
      warnings: expect.arrayContaining(['state-unlisted']),
    });
  });

  test.each(['GBD', 'UNO', 'XXB', 'EUE', 'RKS', 'XPO', 'INP', 'KS<', 'ROM', 'YUG', 'SUN', 'TPE'])(
    'the code %s, which ISO 3166 does not have, is listed',
    (state) => {
      const [first, second] = stolenPassport;
      const reading = swipe(first.replace('UTO', state), second);
      expect(reading).toMatchObject({ kind: 'document', warnings: ['specimen'] });
    },
  );

  test('a national specimen is known by its number or its name', () => {
    const line = 'SPECI20142NLD6503101F2403096999999990<<<<<84';
    expect(swipe('P<NLDDE<BRUIJN<<WILLEKE<LISELOTTE<<<<<<<<<<<', line)).toMatchObject({
      document: { documentNumber: 'SPECI2014', names: { primary: 'DE BRUIJN' } },
      warnings: expect.arrayContaining(['specimen']),
    });
    const [first, second] = stolenPassport;
    const named = first.replace('UTOERIKSSON', 'FINSPECIMEN');
    expect(swipe(named, second.replace('UTO', 'FIN'))).toMatchObject({ warnings: ['specimen'] });
  });
});
