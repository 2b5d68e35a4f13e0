import type { Author } from '@libs/audit';
import { toPublicId } from '@libs/kernel';
import type { Principal } from './principal';

/** On whose behalf a service acts, as the audit log names it. */
export function authorOf({
  principal,
  requestId,
}: {
  readonly principal: Principal;
  readonly requestId: string;
}): Author {
  const actor =
    principal.kind === 'key'
      ? `key:${toPublicId('apiKey', principal.keyId)}`
      : `operator:${toPublicId('operator', principal.operatorId)}`;
  return { actor, requestId };
}
