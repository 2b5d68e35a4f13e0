import { fromPublicId, type PublicKind } from '@libs/kernel';

/** An id that no row has. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/**
 * The uuid behind a public id. A broken id, or one of another kind, becomes an id that nothing has: it is looked up like
 * any other and answers the same "not found", in the same time, as another tenant's (SECURITY.md 27).
 */
export function uuidOf<Id extends string>(kind: PublicKind, publicId: string): Id {
  return (fromPublicId(kind, publicId) ?? NOBODY) as Id;
}
