import type { Schema } from '../store/index.ts';

/** Tables of who may do what, and of who did. Secrets are kept as hashes alone. */
export const accessSchema: Schema = {
  room: 'access',
  migrations: [
    ({ text, integer, strict, counted }) => `
CREATE TABLE accounts (
  name ${text} PRIMARY KEY,
  role ${text} NOT NULL,
  bureau ${text},
  origin ${text} NOT NULL,
  -- Of a local account: the hash of its password with its parameters. Of the provider's: issuer and subject.
  password ${text},
  subject ${text},
  disabled ${integer} NOT NULL,
  last_seen ${text}
) ${strict};
CREATE TABLE sessions (
  hash ${text} PRIMARY KEY,
  account ${text} NOT NULL,
  created_at ${text} NOT NULL,
  last_seen ${text} NOT NULL
) ${strict};
CREATE INDEX sessions_account ON sessions (account);
CREATE TABLE tokens (
  id ${counted},
  hash ${text} NOT NULL UNIQUE,
  title ${text} NOT NULL,
  account ${text} NOT NULL,
  role ${text} NOT NULL,
  created_at ${text} NOT NULL,
  expires_at ${text} NOT NULL,
  last_seen ${text}
) ${strict};
CREATE INDEX tokens_account ON tokens (account);
CREATE TABLE openid_starts (
  hash ${text} PRIMARY KEY,
  verifier ${text} NOT NULL,
  nonce ${text} NOT NULL,
  at ${text} NOT NULL
) ${strict};
CREATE TABLE operator_audit (
  id ${integer} PRIMARY KEY,
  at ${text} NOT NULL,
  actor ${text} NOT NULL,
  action ${text} NOT NULL,
  terminal ${text},
  bureau ${text},
  text ${text} NOT NULL,
  hash ${text} NOT NULL
) ${strict};
CREATE TABLE operator_audit_head (
  one ${integer} PRIMARY KEY,
  id ${integer} NOT NULL,
  hash ${text} NOT NULL
) ${strict};
`,
  ],
};
