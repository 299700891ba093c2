import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readDatabase } from './database.ts';
import type { CollectionRecord } from './record.ts';
import { wholeRecords } from './row-check.ts';

let folder: string;
let file: string;
const all = 'SELECT * FROM sltd ORDER BY rowid';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-database-'));
  file = join(folder, 'bureau.db');
  const database = new Database(file);
  database.exec(`CREATE TABLE sltd (record, issuing_state, document_number, document_type, kind_of_loss, reported_on,
    reported_by, lost_on, reference, remark)`);
  database.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(...rows: readonly Readonly<Record<string, unknown>>[]): void {
  const database = new Database(file);
  const insert = database.prepare(
    `INSERT INTO sltd VALUES (@record, @state, @number, 'passport', 'lost', @day, 'UTO', NULL, NULL, @remark)`,
  );
  for (const row of rows) {
    insert.run({ record: 'R1', state: 'UTO', number: 'L898902C3', day: '2026-03-02', remark: null, ...row });
  }
  database.close();
}

async function read(query = all, from = file) {
  const records: CollectionRecord[] = [];
  const result = await readDatabase(
    { file: from, query },
    { name: 'bureau.db', shape: wholeRecords, work: folder, take: (some) => void records.push(...some) },
  );
  return {
    records,
    code: result.ok ? 'ok' : result.fault.code,
    detail: result.ok ? '' : result.fault.detail,
  };
}

describe('a query of a database', () => {
  test('gives the records that a CSV with the same fields gives: nothing, text and whole numbers', async () => {
    put({ remark: 'two, "quoted"\nlines, Ж' }, { record: 9_007_199_254_740_993n, number: 123_456_789n });
    const { records, code } = await read();
    expect(code).toBe('ok');
    expect(records).toMatchObject([
      { record: 'R1', key: 'UTO|L898902C3', remark: 'two, "quoted"\nlines, Ж' },
      { record: '9007199254740993', key: 'UTO|123456789' },
    ]);
    expect(records[1]).not.toHaveProperty('remark');
  });

  test('has its wrong rows listed by row and column, the first is row 1, and never what stands there', async () => {
    put(
      { record: 'R1', number: Buffer.from('SECRET1') },
      { record: 'R2', number: 424_242.5 },
      { record: 'R3', state: 'SECRET3', number: '?', day: 'x' },
      { record: 'R4' },
      { record: 'R4' },
      { record: 'R6', remark: 'SECRET6'.repeat(10_000) },
    );
    const { records, code, detail } = await read();
    expect(code).toBe('COLLECTION_INVALID');
    expect(detail.split('\n').map((line) => line.split(':')[0])).toEqual([
      'bureau.db',
      'row 1, document_number',
      'row 2, document_number',
      'row 3, issuing_state',
      'row 3, document_number',
      'row 3, reported_on',
      'row 5, record',
      'row 6, remark',
    ]);
    expect(detail).not.toMatch(/SECRET|4242/);
    expect(records).toHaveLength(1);
  });

  test('may name its columns as the collection does, in any order', async () => {
    put({});
    const renamed = `SELECT 'UTO' AS reported_by, reported_on, 'stolen' AS Kind_Of_Loss, document_type, 'N' || rowid
      AS document_number, issuing_state, rowid AS record FROM sltd`;
    expect((await read(renamed)).records).toMatchObject([
      { record: '1', key: 'UTO|N1', kindOfLoss: 'stolen' },
    ]);
  });

  test('with no rows is a collection without records', async () => {
    expect(await read()).toMatchObject({ code: 'ok', records: [] });
  });

  test.each([
    ['that lacks columns', 'SELECT record FROM sltd', 'the column issuing_state is missing'],
    ['with a column that nobody knows', 'SELECT *, 1 AS colour FROM sltd', 'column 11 is none of'],
    ['with a column twice', 'SELECT *, record FROM sltd', 'record is there twice'],
    ['that is none', 'SELEKT', 'syntax error'],
    ['of another table', 'SELECT * FROM nowhere', 'no such table: nowhere'],
    ['that gives no rows', 'DELETE FROM sltd', 'none that gives rows'],
    ['and another', `${all}; ${all}`, 'more than one statement'],
    ['with parameters', 'SELECT * FROM sltd WHERE record = ?', 'parameter'],
  ])('%s is refused', async (_, query, words) => {
    put({});
    const { code, detail } = await read(query);
    expect(code).toBe('COLLECTION_INVALID');
    expect(detail).toContain(words);
    expect(detail).toContain('bureau.db');
  });

  test('that fails at one of its rows is refused there, without SQLite’s words', async () => {
    put({}, { record: 'R2', remark: 'SECRET' });
    const { code, detail } = await read(
      `SELECT record, issuing_state, document_number, document_type, kind_of_loss, reported_on, reported_by,
        CASE WHEN rowid = 2 THEN json_extract(remark, remark) END AS remark FROM sltd`,
    );
    expect(code).toBe('COLLECTION_INVALID');
    expect(detail).toContain('row 2');
    expect(detail).not.toContain('SECRET');
  });

  test('cannot change the database', async () => {
    put({});
    expect((await read('DELETE FROM sltd RETURNING *')).code).toBe('FILE_REFUSED');
    expect((await read()).records).toHaveLength(1);
  });

  test('of a file that is missing, or is no database, is refused', async () => {
    expect((await read(all, join(folder, 'missing.db'))).code).toBe('FILE_REFUSED');
    expect((await read(all, join(folder, 'no/such.db'))).code).toBe('FILE_REFUSED');
    writeFileSync(file, 'this is no database, but longer than a header of one'.repeat(50));
    expect((await read()).code).toBe('FILE_REFUSED');
  });
});
