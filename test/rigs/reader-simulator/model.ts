export type SignalName = 'read' | 'again' | 'attention';

/** What a reader does with what the host says and with what is put on it; knows no clock and no line. */
export interface ReaderModel<Document> {
  /** Whether a document that is put on it now is read. */
  readonly listening: boolean;
  /** Bytes of the host, cut anywhere. */
  heard(bytes: Uint8Array): void;
  /** A document is put on it, in the place of the one before; whether it reads it now. */
  put(document: Document): boolean;
  /** It was without power. */
  powerOn(): void;
}

export interface ModelParts<Document> {
  /** It sends what it read of the document. */
  read(document: Document): void;
  /** It sends an answer. */
  answer(bytes: Uint8Array): void;
  /** It understood a command. */
  command(bytes: Uint8Array): void;
  /** It lights or beeps. */
  signal(name: SignalName): void;
}
