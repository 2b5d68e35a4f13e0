import { createHash } from 'node:crypto';

/** What to do with a session when somebody asks for it. */
export type CredentialUse = 'use' | 'use-and-refresh' | 'wait';

export interface SessionLife {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

const EARLIEST = 0.5;
const SPREAD = 0.25;

/** A number in [0, 1) that is the same for the same seed and session, and unrelated between sessions. */
export function jitter(seed: number, key: string, issuedAtMs: number): number {
  const digest = createHash('sha256').update(`${seed}|${key}|${issuedAtMs}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

/** When to refresh: at 50 to 75 % of the session's life, spread by `fraction` in [0, 1) so that sessions do not queue up. */
export function refreshAtMs(life: SessionLife, fraction: number): number {
  const length = Math.max(0, life.expiresAtMs - life.issuedAtMs);
  return life.issuedAtMs + Math.floor(length * (EARLIEST + SPREAD * fraction));
}

/** A session is used until it really expires: STS being down then costs nothing for a quarter of its life or more. */
export function credentialUse(life: SessionLife | undefined, refreshAt: number, nowMs: number): CredentialUse {
  if (!life || nowMs >= life.expiresAtMs) return 'wait';
  return nowMs >= refreshAt ? 'use-and-refresh' : 'use';
}

/** Pause before the next try after `failures` failed ones in a row: 1 s doubling to 30 s. */
export function refreshPauseMs(failures: number): number {
  return failures <= 0 ? 0 : Math.min(30_000, 1_000 * 2 ** Math.min(failures - 1, 10));
}
