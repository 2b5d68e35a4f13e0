import { Extensions } from '@nestjs/graphql';
import type { GraphQLField } from 'graphql';
import type { KeyPrincipal, OperatorPrincipal } from '@libs/tenancy';

export type Scope = KeyPrincipal['scopes'][number];
export type Role = OperatorPrincipal['role'];

/** What a caller needs for a field. `any` is every valid key: a written decision, unlike nothing at all. */
export type Access = { readonly scope: Scope | 'any' } | { readonly role: Role };

/** Customer fields: the key must have this scope. Kept in the schema itself, so that tests and the edge read the same. */
export const RequiresScope = (scope: Scope | 'any') => Extensions({ access: { scope } satisfies Access });

/** Operators' fields: the operator must have this role or a higher one. */
export const RequiresRole = (role: Role) => Extensions({ access: { role } satisfies Access });

export function accessOf(field: GraphQLField<unknown, unknown>): Access | undefined {
  return field.extensions['access'] as Access | undefined;
}
