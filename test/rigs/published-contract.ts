import { readFileSync } from 'node:fs';
import Schema from 'typebox/schema';

interface Contract {
  readonly channels: Readonly<Record<string, { readonly messages: object }>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** Whether a text is what an AsyncAPI document says of the channel, by its JSON Schema alone. */
export class PublishedContract {
  readonly #contract: Contract;

  constructor(file: string) {
    this.#contract = JSON.parse(readFileSync(file, 'utf8')) as Contract;
  }

  fits(channel: string, text: string): boolean {
    const { channels, components } = this.#contract;
    const message = Object.keys(channels[channel.replace('/', '-')]?.messages ?? {})[0] ?? '';
    const schema = components.schemas[message];
    if (schema === undefined) throw new Error(`the contract has no ${channel}`);
    return Schema.Check(schema, JSON.parse(text) as unknown);
  }
}
