import { randomUUID } from 'node:crypto';
import { toPublicId } from '@libs/kernel';

const SANE = /^[A-Za-z0-9_.:-]{8,128}$/;

/** The caller's id when it is a sane one, so that its log and ours can be joined; a new one otherwise. */
export function requestIdFor(given: string | undefined): string {
  return given !== undefined && SANE.test(given) ? given : toPublicId('request', randomUUID());
}
