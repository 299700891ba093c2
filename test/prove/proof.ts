/** What every proof is given. */
export interface ProofOptions {
  readonly count: number;
  readonly seed: number;
  readonly folder: string;
  readonly say: (text: string) => void;
}
