import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** RFC 7914: 32 MiB and some 80 ms for each attempt, here and for whoever has stolen the database. */
const present = { N: 32_768, r: 8, p: 1 };
const keyLength = 32;
/** So many may wait for their turn: each takes a thread and its memory. */
const mostWaiting = 16;

/** Makes and checks the hashes of passwords, one after the other, each with the parameters that it was made with. */
export class Passwords {
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Too many are being checked already. */
  get busy(): boolean {
    return this.#waiting >= mostWaiting;
  }

  /** `scrypt$N$r$p$salt$key`, base64url. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(16);
    const key = await this.#derive(password, salt, present);
    const { N, r, p } = present;
    return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
  }

  /** Takes as long for an account that is not there, so that nobody learns which ones are. */
  async fits(password: string, kept: string | undefined): Promise<boolean> {
    const [kind, N, r, p, salt = '', key = ''] = (kept ?? '').split('$');
    if (kind !== 'scrypt') {
      await this.#derive(password, Buffer.alloc(16), present);
      return false;
    }
    const wanted = Buffer.from(key, 'base64url');
    const parameters = { N: Number(N), r: Number(r), p: Number(p) };
    const made = await this.#derive(password, Buffer.from(salt, 'base64url'), parameters);
    return made.length === wanted.length && timingSafeEqual(made, wanted);
  }

  #derive(password: string, salt: Buffer, { N, r, p }: typeof present): Promise<Buffer> {
    this.#waiting++;
    const mine = this.#turn
      .then(() => derive(password.normalize('NFC'), salt, keyLength, { N, r, p, maxmem: 256 * N * r }))
      .finally(() => this.#waiting--);
    this.#turn = mine.catch(() => {});
    return mine;
  }
}
