import { type Identity, type Role, roles } from '#contracts/api/accounts.ts';

/** Whether a role has at least the rights of another. */
export function atLeast(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** The lesser of two roles. */
export function lesser(one: Role, other: Role): Role {
  return atLeast(one, other) ? other : one;
}

/** Whether what belongs to this bureau (null: to none, or to all) is within reach of an identity. */
export function within(identity: Identity, bureau: string | null): boolean {
  return identity.bureau === null || identity.bureau === bureau;
}
